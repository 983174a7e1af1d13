# The ML optimum of the split plot: 0 is a stationary point of the deviance in theta but not its minimum.
# Versions used: R 4.2.2, lme4 1.1-31 (Debian 12). Run from the repository's root: Rscript tests/reference/R/beets_ml.R
suppressMessages(library(lme4))
d <- read.csv("tests/reference/data/mixed/beets.csv")
tight <- lmerControl(optCtrl = list(xtol_abs = 1e-14, xtol_rel = 0, ftol_abs = 0, ftol_rel = 1e-16, maxeval = 2e4))
for (start in c(0.03, 0.3, 1)) {
  f <- suppressMessages(lmer(sugpct ~ block + sow + harvest + (1 | block:harvest), d, REML = FALSE, start = start, control = tight))
  cat(sprintf("start %g: theta %.12g deviance %.12f sigma2 %.12g\n", start, getME(f, "theta"), deviance(f), sigma(f)^2))
}
cat("beta", sprintf("%.12g", fixef(f)), "\nse", sprintf("%.12g", sqrt(diag(as.matrix(vcov(f))))), "\n")
deviance_at <- update(f, devFunOnly = TRUE)
cat(sprintf("deviance at theta 0: %.12f\n", deviance_at(0)))
