# Reference values of generalized and ordinal mixed models. Run from the repository's root: Rscript tests/reference/R/generalized.R
suppressMessages({library(lme4); library(glmmTMB); library(ordinal); library(jsonlite)})
options(digits = 15)
folder <- "tests/reference/data/"
cbpp <- read.csv(paste0(folder, "mixed/cbpp.csv"), colClasses = c(herd = "factor", period = "factor"))
wine <- read.csv(paste0(folder, "lmm/ordinal_wine.csv"), stringsAsFactors = TRUE)
wine$rating <- factor(wine$rating, ordered = TRUE)
for (v in c("judge", "bottle")) wine[[v]] <- factor(wine[[v]])

# 7 centers x 12 persons x 3 waves: a count with exposure, successes of indicators, a yes/no item
set.seed(20240607)
data <- expand.grid(wave = 0:2, person = 1:12, center = 1:7)
data <- data[runif(nrow(data)) > 0.08, ]
data$pid <- sprintf("c%d_p%02d", data$center, data$person)
data$center <- sprintf("c%d", data$center)
data$role <- as.integer(factor(data$pid)) %% 2
center_effect <- rnorm(7, 0, 0.5)[as.integer(factor(data$center))]
slope_effect <- rnorm(7, 0, 0.3)[as.integer(factor(data$center))] * data$wave
person_effect <- rnorm(length(unique(data$pid)), 0, 0.6)[as.integer(factor(data$pid))]
data$hours <- round(runif(nrow(data), 2, 9), 1)
linear <- -0.6 + 0.3 * data$wave + 0.4 * data$role + center_effect + person_effect
data$events <- rpois(nrow(data), data$hours * exp(linear - 0.5) * rgamma(nrow(data), 2.5, 2.5))
data$applicable <- sample(6:10, nrow(data), TRUE)
data$met <- rbinom(nrow(data), data$applicable, rbeta(nrow(data), 6 * plogis(linear), 6 * plogis(-linear)))
data$yes <- rbinom(nrow(data), 1, plogis(2 * linear + 2 * center_effect + slope_effect + 0.6))
data$item <- 1 + rowSums(outer(linear + 0.5 + rlogis(nrow(data)), c(-1, 0.2, 1.5), ">"))
data <- data[, c("center", "pid", "wave", "role", "hours", "events", "applicable", "met", "yes", "item")]
write.csv(data, paste0(folder, "lmm/generalized_counts.csv"), row.names = FALSE)
data <- read.csv(paste0(folder, "lmm/generalized_counts.csv"), stringsAsFactors = TRUE)
data$item <- factor(data$item, ordered = TRUE)

# Newton steps with Richardson-extrapolated derivatives of the tool's own objective (minus log-likelihood), down to rounding
polish <- function(objective, par, steps = 4) {
  gradient_of <- function(par) numDeriv::grad(objective, par, method.args = list(d = 0.02, eps = 1e-3, r = 5))
  for (step in seq_len(steps)) par <- par - solve(numDeriv::hessian(objective, par), gradient_of(par))
  list(par = par, value = objective(par), gradient = max(abs(gradient_of(par))), hessian = numDeriv::hessian(objective, par))
}
from_glmer <- function(formula, data, family, points = 1L) {
  control <- glmerControl(optimizer = "bobyqa", tolPwrss = 1e-13, optCtrl = list(rhoend = 1e-9, maxfun = 50000))
  fit <- glmer(formula, data, family, nAGQ = points, control = control)
  deviance_function <- update(fit, devFunOnly = TRUE)
  constant <- -as.numeric(logLik(fit)) - deviance_function(c(getME(fit, "theta"), fixef(fit))) / 2
  best <- polish(function(par) deviance_function(par) / 2 + constant, c(getME(fit, "theta"), fixef(fit)))
  number <- length(getME(fit, "theta"))
  # with quadrature glmer's log-likelihood leaves out that of the saturated model, which is added here
  response <- model.response(model.frame(fit))
  saturated <- if (points == 1) 0 else if (family$family == "poisson") sum(dpois(response, response, log = TRUE)) else
    sum(dbinom(response[, 1], rowSums(response), response[, 1] / rowSums(response), log = TRUE))
  best$value <- best$value - saturated
  list(tool = "lme4::glmer", formula = deparse1(formula), family = family$family, link = family$link, quadrature_points = points, n = nobs(fit),
       terms = names(fixef(fit)), beta = unname(best$par[-seq_len(number)]), se = unname(sqrt(diag(solve(best$hessian)))[-seq_len(number)]),
       theta = unname(best$par[seq_len(number)]), theta_names = names(getME(fit, "theta")), log_likelihood = -best$value, gradient = best$gradient)
}
from_glmmTMB <- function(formula, data, family) {
  control <- glmmTMBControl(optCtrl = list(iter.max = 5000, eval.max = 5000, rel.tol = 1e-15, x.tol = 1e-14, abs.tol = 0))
  fit <- glmmTMB(formula, data, family = family, control = control)
  # Newton steps on TMB's exact gradient down to rounding
  objective <- fit$obj
  par <- fit$fit$par
  for (step in 1:5) par <- par - solve(optimHess(par, objective$fn, objective$gr, control = list(ndeps = rep(1e-4, length(par)))), as.numeric(objective$gr(par)))
  gradient <- max(abs(objective$gr(par)))
  hessian <- numDeriv::jacobian(objective$gr, par)
  covariance <- solve((hessian + t(hessian)) / 2)
  dimnames(covariance) <- list(names(par), names(par))
  is_beta <- names(par) == "beta"
  result <- list(tool = "glmmTMB", formula = deparse1(formula), family = family$family, link = family$link, quadrature_points = 1, n = nobs(fit),
       terms = names(fixef(fit)$cond), beta = unname(par[is_beta]), se = unname(sqrt(diag(covariance))[is_beta]),
       log_sd_and_correlations = unname(par[names(par) == "theta"]), covariance_names = names(ranef(fit)$cond),
       log_likelihood = -as.numeric(objective$fn(par)), gradient = gradient)
  if (any(names(par) == "betad")) { # glmmTMB estimates log(size) and log(precision) directly
    result$log_dispersion <- unname(par[names(par) == "betad"])
    result$log_dispersion_se <- unname(sqrt(diag(covariance))[names(par) == "betad"])
  }
  result
}
laplace_at_the_mode <- function(rho, par) {
  # clmm's getNLA with its own functions, and two full Newton steps more on the modes: its line search leaves noise near the optimum
  ordinal:::setPar.clmm(rho, par)
  stopifnot(ordinal:::update.u(rho))
  for (step in 1:2) {
    rho$u <- rho$u - as.vector(Matrix::solve(rho$L, ordinal:::grad.u(rho)))
    rho$nll <- ordinal:::nllFast.u(rho)
    ordinal:::grad.u(rho)
    stopifnot(ordinal:::hess.u(rho))
  }
  rho$nll + c(Matrix::determinant(rho$L)$modulus) - rho$dims$q * log(2 * pi) / 2
}
from_clmm <- function(formula, data, link, points = 1L) {
  # clmm's fast path for one scalar factor takes the Hessian of the second-last inner iterate, which shifts its Laplace
  # log-likelihood of wine by 4e-6; useMatrix = TRUE takes it at the mode. Quadrature has only the fast path (tolerance 1e-6).
  control <- clmm.control(maxIter = 200, gradTol = 1e-6, maxLineIter = 100, innerCtrl = "noWarn", useMatrix = points == 1)
  fit <- clmm(formula, data = data, link = link, nAGQ = points, control = control)
  rho <- clmm(formula, data = data, link = link, nAGQ = points, control = control, doFit = FALSE)
  scalar <- points > 1
  value <- if (scalar) ordinal:::getNAGQ.ssr else laplace_at_the_mode
  par <- fit$optRes$par
  deviations <- length(par) - length(fit$ST) + seq_along(fit$ST)
  inside <- if (scalar) rep(TRUE, length(par)) else !(seq_along(par) %in% deviations & par < 1e-3)
  best <- polish(function(inner) { whole <- replace(ifelse(inside, par, 0), inside, inner); value(rho, whole) }, par[inside])
  whole <- replace(ifelse(inside, par, 0), inside, best$par)
  number <- length(fit$alpha)
  fixed <- seq_len(number + length(fit$beta))
  list(tool = "ordinal::clmm", formula = deparse1(formula), family = "cumulative", link = link, quadrature_points = points, n = nobs(fit),
       terms = c(names(fit$alpha), names(fit$beta)), thresholds = unname(whole[seq_len(number)]), beta = unname(whole[fixed[-seq_len(number)]]),
       se = unname(sqrt(diag(solve(best$hessian)))[fixed]), groups = names(fit$ST),
       sd = if (scalar) exp(whole[deviations]) else whole[deviations], log_likelihood = -best$value, gradient = best$gradient)
}
# probit and cloglog from glmmTMB only: glmer's Laplace takes the expected instead of the observed Hessian for these links
successes <- cbind(incidence, size - incidence) ~ period + (1 | herd)
models <- list(
  cbpp_logit_laplace = function() from_glmer(successes, cbpp, binomial()),
  cbpp_logit_agq5 = function() from_glmer(successes, cbpp, binomial(), 5L),
  cbpp_logit_agq9 = function() from_glmer(successes, cbpp, binomial(), 9L),
  cbpp_logit_tmb = function() from_glmmTMB(successes, cbpp, binomial()),
  cbpp_probit_tmb = function() from_glmmTMB(successes, cbpp, binomial("probit")),
  cbpp_cloglog_tmb = function() from_glmmTMB(successes, cbpp, binomial("cloglog")),
  cbpp_beta_binomial = function() from_glmmTMB(successes, cbpp, betabinomial()),
  poisson_glmer = function() from_glmer(events ~ wave + role + offset(log(hours)) + (1 | center), data, poisson()),
  poisson_agq9 = function() from_glmer(events ~ wave + role + offset(log(hours)) + (1 | center), data, poisson(), 9L),
  poisson_tmb = function() from_glmmTMB(events ~ wave + role + offset(log(hours)) + (1 | center), data, poisson()),
  poisson_nested_tmb = function() from_glmmTMB(events ~ wave + role + offset(log(hours)) + (1 | center) + (1 | pid), data, poisson()),
  negative_binomial_tmb = function() from_glmmTMB(events ~ wave + role + offset(log(hours)) + (1 | center), data, nbinom2()),
  negative_binomial_nested_tmb = function() from_glmmTMB(events ~ wave + role + offset(log(hours)) + (1 | center) + (1 | pid), data, nbinom2()),
  beta_binomial_nested_tmb = function() from_glmmTMB(cbind(met, applicable - met) ~ wave + role + (1 | center) + (1 | pid), data, betabinomial()),
  binary_nested_tmb = function() from_glmmTMB(yes ~ wave + role + (1 | center) + (1 | pid), data, binomial()),
  counts_nested_tmb = function() from_glmmTMB(cbind(met, applicable - met) ~ wave + role + (1 | center) + (1 | pid), data, binomial()),
  counts_nested_glmer = function() from_glmer(cbind(met, applicable - met) ~ wave + role + (1 | center) + (1 | pid), data, binomial()),
  counts_slope_tmb = function() from_glmmTMB(cbind(met, applicable - met) ~ wave + role + (1 + wave | center), data, binomial()),
  counts_slope_glmer = function() from_glmer(cbind(met, applicable - met) ~ wave + role + (1 + wave | center), data, binomial()),
  binary_nested_glmer = function() from_glmer(yes ~ wave + role + (1 | center) + (1 | pid), data, binomial()),
  wine_logit_laplace = function() from_clmm(rating ~ temp + contact + (1 | judge), wine, "logit"),
  wine_logit_agq10 = function() from_clmm(rating ~ temp + contact + (1 | judge), wine, "logit", 10L),
  wine_probit_laplace = function() from_clmm(rating ~ temp + contact + (1 | judge), wine, "probit"),
  wine_probit_agq10 = function() from_clmm(rating ~ temp + contact + (1 | judge), wine, "probit", 10L),
  wine_two_logit = function() from_clmm(rating ~ temp + contact + (1 | judge) + (1 | bottle), wine, "logit"),
  wine_two_probit = function() from_clmm(rating ~ temp + contact + (1 | judge) + (1 | bottle), wine, "probit"),
  item_two_logit = function() from_clmm(item ~ wave + role + (1 | pid) + (1 | center), data, "logit"),
  item_two_probit = function() from_clmm(item ~ wave + role + (1 | pid) + (1 | center), data, "probit"))
out <- list(versions = as.list(sapply(c("lme4", "glmmTMB", "ordinal", "TMB"), function(p) as.character(packageVersion(p)))))
out$versions$R <- as.character(getRversion())
for (name in names(models)) {
  out[[name]] <- tryCatch(suppressWarnings(models[[name]]()), error = function(e) list(failed = conditionMessage(e)))
  cat(name, out[[name]]$failed, out[[name]]$log_likelihood, out[[name]]$gradient, "\n")
}
write_json(out, paste0(folder, "lmm/generalized.json"), digits = 16, auto_unbox = TRUE, pretty = TRUE)
