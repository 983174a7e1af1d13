# Cluster-robust references by clubSandwich. Run from the repository's root: Rscript tests/reference/R/cluster_robust.R
suppressMessages({library(lme4); library(nlme); library(clubSandwich); library(jsonlite)})
folder <- "tests/reference/data/mixed/"
read <- function(name) read.csv(paste0(folder, name, ".csv"), stringsAsFactors = TRUE)
sleep <- read("sleepstudy"); sleep$Subject <- factor(sleep$Subject)
sim3 <- read("sim3"); sim3u <- read("sim3u")
sim3u$weight <- 1 + (seq_len(nrow(sim3u)) %% 4) / 2
tight <- lmerControl(optimizer = "nloptwrap", calc.derivs = FALSE,
  optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14, ftol_rel = 1e-15, xtol_rel = 1e-12, maxeval = 20000))
nested <- y ~ wave * arm + role + (1 | center/pid)
fixed <- y ~ wave * arm + role
simple <- lm(fixed, sim3u); centers <- lm(y ~ wave + role + center, sim3u)
weighted <- lm(fixed, sim3u, weights = weight)
lme_weighted <- lme(fixed, random = ~ 1 | center/pid, weights = varFixed(~ 1 / weight), data = sim3u,
  control = lmeControl(opt = "nlminb", msTol = 1e-12, tolerance = 1e-10, msMaxIter = 500, maxIter = 500))
models <- list(
  sleep = list(fit = lmer(Reaction ~ Days + (1 + Days | Subject), sleep, control = tight), cluster = sleep$Subject),
  sim3 = list(fit = lmer(nested, sim3, control = tight), cluster = sim3$center),
  sim3u = list(fit = lmer(nested, sim3u, control = tight), cluster = sim3u$center),
  sim3u_slope = list(fit = lmer(y ~ wave * arm + role + (1 + wave | center) + (1 | center:pid), sim3u, control = tight), cluster = sim3u$center),
  sim3u_weighted = list(fit = lme_weighted, cluster = sim3u$center),
  ols = list(fit = simple, cluster = sim3u$center),
  ols_persons = list(fit = simple, cluster = sim3u$pid),
  ols_centers = list(fit = centers, cluster = sim3u$center),
  ols_weighted = list(fit = weighted, cluster = sim3u$center, inverse = TRUE))
covariance_parameters <- function(fit) {
  if (inherits(fit, "merMod")) return(list(theta = unname(getME(fit, "theta")), sigma = sigma(fit)))
  if (inherits(fit, "lme")) {
    deviations <- sapply(pdMatrices <- fit$modelStruct$reStruct, function(m) sqrt(as.matrix(m)[1, 1]))
    return(list(theta = unname(c(deviations["pid"], deviations["center"])), sigma = fit$sigma))
  }
  list(theta = numeric(0), sigma = summary(fit)$sigma)
}
one_kind <- function(model, kind) {
  given <- list(obj = model$fit, cluster = model$cluster, type = kind)
  if (!is.null(model$inverse)) given$inverse_var <- TRUE
  covariance <- tryCatch(do.call(vcovCR, given), error = function(e) NULL, warning = function(w) NULL)
  if (is.null(covariance) || anyNA(covariance)) return(NULL) # CR1p needs more clusters than coefficients
  table <- coef_test(model$fit, covariance, test = "Satterthwaite")
  p <- length(table$beta)
  # the contrasts: the last 1, 2, 3 coefficients before any column of center dummies (wave and role are all there is before those)
  last <- if (p > 6) 3 else p
  joint <- lapply(1:min(3, last - 1), function(q) {
    contrast <- diag(p)[(last - q + 1):last, , drop = FALSE]
    test <- Wald_test(model$fit, contrast, covariance, test = "HTZ")
    list(contrast = contrast, statistic = test$Fstat, scale = test$delta, df_numerator = test$df_num, df_denominator = test$df_denom, p = test$p_val)
  })
  list(covariance = matrix(as.numeric(covariance), p), df = table$df_Satt, p = table$p_Satt, joint = joint)
}
references <- lapply(models, function(model) {
  fit <- model$fit
  beta <- if (inherits(fit, "merMod")) lme4::fixef(fit) else if (inherits(fit, "lme")) nlme::fixef(fit) else coef(fit)
  kinds <- c("CR0", "CR1", "CR1p", "CR1S", "CR2", "CR3")
  by_kind <- lapply(setNames(kinds, kinds), function(kind) one_kind(model, kind))
  c(covariance_parameters(fit), list(terms = names(beta), beta = unname(beta), kinds = by_kind[!sapply(by_kind, is.null)]))
})
versions <- list(R = R.version.string, lme4 = as.character(packageVersion("lme4")), nlme = as.character(packageVersion("nlme")),
  clubSandwich = as.character(packageVersion("clubSandwich")), weights = "1 + (row modulo 4) / 2, rows from 1 as in sim3u.csv")
write(toJSON(c(list(versions = versions), references), digits = NA, auto_unbox = TRUE, null = "null"),
  "tests/reference/data/lmm/cluster_robust.json")
