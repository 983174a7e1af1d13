# Reference values of estimated marginal means. Run from the repository's root: Rscript tests/reference/R/marginal_means.R
suppressMessages({library(lme4); library(lmerTest); library(pbkrtest); library(emmeans); library(jsonlite)})
options(digits = 15)
emm_options(lmerTest.limit = 1e5, pbkrtest.limit = 1e5)
folder <- "tests/reference/data/"
tight <- lmerControl(optimizer = "bobyqa", calc.derivs = FALSE, check.conv.singular = "ignore", optCtrl = list(rhobeg = 1e-2, rhoend = 1e-11, maxfun = 50000))
read <- function(name) {
  data <- read.csv(paste0(folder, "mixed/", name, ".csv"), stringsAsFactors = TRUE)
  for (v in c("arm", "role")) data[[v]] <- factor(data[[v]])
  data$occasion <- factor(data$wave)
  data
}
columns <- function(x) { x <- as.data.frame(x); lapply(x, function(v) if (is.factor(v)) as.character(v) else v) }
of_model <- function(fit) {
  out <- list(formula = deparse1(formula(fit)), terms = names(fixef(fit)), beta = unname(fixef(fit)), theta = unname(getME(fit, "theta")), sigma = sigma(fit))
  for (df in c("kenward-roger", "satterthwaite", "asymptotic")) {
    means <- emmeans(fit, ~ occasion * arm, lmer.df = df)
    by_arm <- emmeans(fit, ~ occasion | arm, lmer.df = df)
    part <- list(means_occasion = columns(emmeans(fit, ~ occasion, lmer.df = df)), means_occasion_arm = columns(means),
                 means_role = columns(emmeans(fit, ~ role, lmer.df = df)),
                 means_occasion_proportional = columns(emmeans(fit, ~ occasion, weights = "proportional", lmer.df = df)),
                 means_arm_cells = columns(emmeans(fit, ~ arm, weights = "cells", lmer.df = df)))
    for (adjust in c("none", "holm", "BH")) part[[paste0("pairs_", adjust)]] <- columns(summary(pairs(means, adjust = adjust)))
    part$pairs_by_arm_holm <- columns(summary(pairs(by_arm, adjust = "holm")))
    part$pairs_interval <- columns(confint(pairs(by_arm, adjust = "none"), adjust = "none"))
    part$consecutive <- columns(summary(contrast(by_arm, "consec", adjust = "none")))
    part$difference_of_changes <- columns(summary(contrast(means, interaction = c(occasion = "revpairwise", arm = "revpairwise"), adjust = "none")))
    part$joint <- columns(joint_tests(fit, lmer.df = df))
    out[[df]] <- part
  }
  out
}
of_slopes <- function(fit) {
  out <- list(formula = deparse1(formula(fit)))
  for (df in c("kenward-roger", "satterthwaite")) {
    trends <- emtrends(fit, ~ arm, var = "wave", lmer.df = df, delta.var = 1)
    out[[df]] <- list(slopes = columns(trends), difference = columns(summary(pairs(trends, adjust = "none"))),
                      means_at = columns(emmeans(fit, ~ arm, at = list(wave = 2), lmer.df = df)), means_average = columns(emmeans(fit, ~ arm, lmer.df = df)))
  }
  out
}
out <- list(versions = as.list(sapply(c("emmeans", "lme4", "lmerTest", "pbkrtest"), function(p) as.character(packageVersion(p)))))
out$versions$R <- as.character(getRversion())
for (name in c("sim3", "sim3u")) {
  data <- read(name)
  out[[name]] <- of_model(lmerTest::lmer(y ~ occasion * arm + role + (1 | center / pid), data, control = tight))
  out[[paste0(name, "_slopes")]] <- of_slopes(lmerTest::lmer(y ~ wave * arm + role + (1 | center / pid), data, control = tight))
}
write_json(out, paste0(folder, "lmm/marginal_means.json"), digits = 16, auto_unbox = TRUE, pretty = TRUE)
