# Times of R's lme4, lmerTest, pbkrtest and ordinal on the tables that benchmarks/multilevel.py writes.
# Called by it:  Rscript multilevel_peers.R FOLDER   (FOLDER/cases.csv: name, file, formula, family, repeats)
suppressPackageStartupMessages({library(lme4); library(lmerTest); library(pbkrtest); library(ordinal)})
folder <- commandArgs(TRUE)[1]
cases <- read.csv(file.path(folder, "cases.csv"), stringsAsFactors = FALSE)
took <- function(expr, repeats) {
  times <- numeric(repeats)
  for (i in seq_len(repeats)) times[i] <- system.time(eval.parent(expr), gcFirst = FALSE)[["elapsed"]]
  median(times)
}
say <- function(case, what, seconds) cat(sprintf("%s\t%s\t%.9g\n", case, what, seconds))
quiet <- function(x) suppressWarnings(suppressMessages(x))
for (i in seq_len(nrow(cases))) {
  k <- cases[i, ]
  d <- read.csv(file.path(folder, k$file), stringsAsFactors = TRUE)
  f <- as.formula(k$formula)
  n <- max(1, min(k$repeats, 5))
  if (k$family == "gaussian") {
    say(k$name, "single fit", took(quote(quiet(lme4::lmer(f, d, control = lmerControl(calc.derivs = FALSE)))), n))
  } else if (k$family == "binomial") {
    for (g in c("period", "herd", "id", "item")) if (!is.null(d[[g]])) d[[g]] <- factor(d[[g]])
    say(k$name, "single fit", took(quote(quiet(lme4::glmer(f, d, family = binomial))), n))
  } else {
    d$rating <- factor(d$rating); d$judge <- factor(d$judge)
    say(k$name, "single fit", took(quote(quiet(ordinal::clmm(f, data = d))), n))
  }
  if (k$name == "7x15x3" || k$name == "HSB") {
    m <- quiet(lmerTest::lmer(f, d))
    say(k$name, "Kenward-Roger", took(quote(quiet(coef(summary(m, ddf = "Kenward-Roger")))), 1))
  }
  if (k$name %in% c("7x15x3", "sleepstudy", "Penicillin")) {
    m <- quiet(lme4::lmer(f, d))
    say(k$name, "bootstrap replicate", took(quote(quiet(bootMer(m, fixef, nsim = 50, seed = 1))), 1) / 50)
  }
  if (k$name == "7x15x3") {
    small <- quiet(lme4::lmer(y ~ wave + arm + role + (1 | center/pid), d))
    big <- quiet(lme4::lmer(f, d))
    say(k$name, "likelihood-ratio bootstrap of 1,000", took(quote(quiet(PBmodcomp(big, small, nsim = 50, seed = 1))), 1) * 20)
  }
}
