"""The built report in a real browser: no error, no request, no serious or critical accessibility finding."""

import json
import shutil

import pytest

pytestmark = pytest.mark.slow
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-default-apps", "--window-size=1300,1000",
)  # fmt: skip


@pytest.fixture(scope="module")
def report(demonstration):
    return demonstration / "reports" / "report.html"


@pytest.fixture(scope="module")
def browser(report):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("no Chromium with chromedriver on this machine")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    opened.get(report.as_uri())
    yield opened
    opened.quit()


def test_no_console_message(browser):
    assert [entry["message"] for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")] == []


def test_no_request_leaves_the_page(browser, report):
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert report.as_uri() in urls
    assert [url[:80] for url in urls if not url.startswith(("data:", report.as_uri()))] == []


def test_every_figure_is_drawn(browser):
    drawn = "return [...document.images].map(i => i.complete && i.naturalWidth > 100)"
    images = browser.execute_script(drawn)
    assert images and all(images)


def test_the_page_fits_a_narrow_window_and_the_skip_link_works(browser):
    browser.set_window_size(520, 900)
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth + 1")
    browser.execute_script("document.querySelector('a.skip').click()")
    assert browser.execute_script("return location.hash + document.activeElement.id") == "#contentcontent"
    browser.set_window_size(1300, 1000)


def test_no_serious_or_critical_accessibility_finding(browser, repository):
    axe = repository / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.is_file():
        pytest.skip("axe-core is not installed: run `npm install --no-save axe-core`")
    browser.set_script_timeout(60)
    browser.execute_script(axe.read_text(encoding="utf-8"))
    result = browser.execute_async_script("const done = arguments[0]; axe.run(document).then(done, e => done({error: String(e)}))")
    assert "error" not in result and len(result["passes"]) > 20
    found = [
        f"{v['id']} ({v['impact']}): {v['nodes'][0]['target']}" for v in result["violations"] if v["impact"] in ("serious", "critical")
    ]
    assert found == []
