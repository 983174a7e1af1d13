# Reference values of linear mixed models of shapes the older references lack. Run from the repository's root: Rscript tests/reference/R/linear_extra.R
suppressMessages({library(lme4); library(lmerTest); library(pbkrtest); library(jsonlite); library(splines)})
options(digits = 15)
folder <- "tests/reference/data/"
table_of <- function(name, factors = character()) {
  data <- read.csv(paste0(folder, "mixed/", name, ".csv"), stringsAsFactors = TRUE)
  for (f in factors) data[[f]] <- factor(data[[f]])
  data
}
sleep <- table_of("sleepstudy", "Subject")
sleep$importance <- 1 + (seq_len(nrow(sleep)) * 7) %% 11 / 5
sleep$known <- 3 * ((seq_len(nrow(sleep)) * 5) %% 7)
penicillin <- table_of("penicillin")
pastes <- table_of("pastes")
cake <- table_of("cake", c("replicate", "recipe", "temperature"))
dyestuff <- table_of("dyestuff")
dyestuff2 <- table_of("dyestuff2")
dietox <- table_of("dietox", c("Litter", "Pig", "Evit"))
sim3u <- table_of("sim3u")
sim3u$wave_factor <- factor(sim3u$wave)
tight <- lmerControl(optimizer = "nloptwrap", calc.derivs = FALSE, check.conv.singular = "ignore",
                     optCtrl = list(xtol_abs = 1e-13, xtol_rel = 1e-13, ftol_abs = 1e-14, ftol_rel = 1e-15, maxeval = 50000))
fitted_by <- function(lmer, formula, data, reml, control, start = NULL, columns = list()) {
  do.call(lmer, c(list(formula, data, REML = reml, control = control, start = start), lapply(columns, function(name) data[[name]])))
}
precise <- function(formula, data, reml, columns) {
  # lme4 restarted until the criterion no longer falls, then Newton steps on the interior parameters with Richardson derivatives of lme4's criterion
  fit <- fitted_by(lme4::lmer, formula, data, reml, tight, columns = columns)
  for (round in 1:3) {
    control <- lmerControl(optimizer = c("bobyqa", "nloptwrap", "bobyqa")[round], calc.derivs = FALSE, check.conv.singular = "ignore",
                           optCtrl = if (round == 2) tight$optCtrl else list(rhobeg = 2e-4, rhoend = 1e-11, maxfun = 20000))
    again <- fitted_by(lme4::lmer, formula, data, reml, control, getME(fit, "theta"), columns)
    if (deviance(again, REML = reml) <= deviance(fit, REML = reml)) fit <- again
  }
  evaluate <- do.call(lme4::lmer, c(list(formula, data, REML = reml, devFunOnly = TRUE), lapply(columns, function(name) data[[name]])))
  theta <- getME(fit, "theta")
  inside <- theta > getME(fit, "lower") + 1e-5
  for (step in 1:6) if (any(inside)) {
    part <- function(x) evaluate(replace(ifelse(inside, theta, pmax(getME(fit, "lower"), 0)), inside, x))
    theta[inside] <- theta[inside] - solve(numDeriv::hessian(part, theta[inside]), numDeriv::grad(part, theta[inside], method.args = list(d = 0.02, eps = 1e-3, r = 5)))
  }
  theta[!inside] <- pmax(getME(fit, "lower")[!inside], 0)
  list(theta = theta, gradient = if (any(inside)) max(abs(numDeriv::grad(part, theta[inside], method.args = list(d = 0.02, eps = 1e-3, r = 5)))) else 0, evaluate = evaluate, inside = inside)
}
fit_at <- function(formula, data, reml, theta, columns) {
  # the fitted object exactly at theta
  fitted_by(lmerTest::lmer, formula, data, reml, lmerControl(optimizer = NULL, calc.derivs = FALSE, check.conv.singular = "ignore"), theta, columns)
}
describe <- function(formula, data, ..., kenward_roger = TRUE) {
  columns <- list(...)
  out <- list(formula = deparse1(formula), n = nrow(data))
  for (part in names(columns)) out[[part]] <- data[[columns[[part]]]] # row by row as the table stands
  for (reml in c(TRUE, FALSE)) {
    found <- precise(formula, data, reml, columns)
    fit <- fit_at(formula, data, reml, found$theta, columns)
    stopifnot(max(abs(getME(fit, "theta") - found$theta)) < 1e-12)
    part <- list(theta = unname(found$theta), theta_names = names(getME(fit, "theta")), gradient = found$gradient, boundary = !all(found$inside),
      sigma = sigma(fit), criterion = found$evaluate(found$theta), log_likelihood = as.numeric(logLik(fit)), terms = names(fixef(fit)), beta = unname(fixef(fit)),
      se = unname(sqrt(diag(as.matrix(vcov(fit))))), covariance = as.matrix(vcov(fit)))
    if (reml) {
      satterthwaite <- tryCatch(coef(summary(fit)), error = function(e) NULL)
      if (!is.null(satterthwaite) && "df" %in% colnames(satterthwaite)) part$satterthwaite_df <- unname(satterthwaite[, "df"])
      if (kenward_roger) {
        adjusted <- vcovAdj(fit)
        part$kr_se <- unname(sqrt(diag(as.matrix(adjusted))))
        part$kr_covariance <- as.matrix(adjusted)
        identity <- diag(length(fixef(fit)))
        part$kr_df <- sapply(seq_along(fixef(fit)), function(j) as.numeric(get_Lb_ddf(fit, identity[j, ])))
        tests <- c(lapply(attr(terms(lme4::nobars(formula)), "term.labels"), function(label) {
          columns <- which(attr(getME(fit, "X"), "assign") == which(attr(terms(lme4::nobars(formula)), "term.labels") == label))
          list(label = label, columns = columns)
        }))
        part$kr_tests <- lapply(tests, function(test) {
          L <- identity[test$columns, , drop = FALSE]
          k <- as.list(KRmodcomp(fit, L)$stats)
          s <- tryCatch(contestMD(fit, L), error = function(e) NULL)
          c(list(label = test$label, columns = I(test$columns)), k[c("ndf", "ddf", "Fstat", "p.value", "F.scaling", "FstatU", "p.valueU")],
            list(satterthwaite_F = s[["F value"]], satterthwaite_ddf = s[["DenDF"]], satterthwaite_p = s[["Pr(>F)"]]))
        })
      }
    }
    out[[if (reml) "reml" else "ml"]] <- part
  }
  out
}
models <- list(
  penicillin = function() describe(diameter ~ 1 + (1 | plate) + (1 | sample), penicillin),
  pastes = function() describe(strength ~ 1 + (1 | batch / cask), pastes),
  cake = function() describe(angle ~ recipe * temperature + (1 | recipe:replicate), cake),
  cake_slope = function() describe(angle ~ recipe + temp + (1 | replicate), cake),
  sleep_independent = function() describe(Reaction ~ Days + (Days || Subject), sleep),
  # pbkrtest 0.5.2 takes the residual covariance as sigma^2 I and so ignores weights: no Kenward-Roger values here
  sleep_weights = function() describe(Reaction ~ Days + (1 + Days | Subject), sleep, weights = "importance", kenward_roger = FALSE),
  sleep_offset = function() describe(Reaction ~ Days + (1 + Days | Subject), sleep, offset = "known"),
  sleep_spline = function() describe(Reaction ~ bs(Days, df = 4) + (1 | Subject), sleep),
  slopes_center_intercept_person = function() describe(y ~ wave * arm + role + (1 + wave | center) + (1 | pid), sim3u),
  slopes_nested = function() describe(y ~ wave * arm + role + (1 + wave | center / pid), sim3u),
  slopes_litter_pig = function() describe(Weight ~ Time + Evit + (1 + Time | Litter) + (1 + Time | Pig), dietox),
  categories_unbalanced = function() describe(y ~ wave_factor * arm + role + (1 | center / pid), sim3u),
  dyestuff = function() describe(Yield ~ 1 + (1 | Batch), dyestuff),
  dyestuff2_boundary = function() describe(Yield ~ 1 + (1 | Batch), dyestuff2))
out <- list(versions = as.list(sapply(c("lme4", "lmerTest", "pbkrtest"), function(p) as.character(packageVersion(p)))))
out$versions$R <- as.character(getRversion())
for (name in names(models)) {
  out[[name]] <- tryCatch(suppressWarnings(models[[name]]()), error = function(e) list(failed = conditionMessage(e)))
  cat(name, out[[name]]$failed, out[[name]]$reml$criterion, out[[name]]$reml$gradient, out[[name]]$ml$gradient, out[[name]]$reml$boundary, "\n")
}
intervals <- function(formula, data, level = 0.95) {
  # lme4's profile interpolates by splines (6e-6 off for dyestuff's lower limit, below 5e-8 elsewhere), so limits of standard deviations and
  # correlations are found again as roots of lme4's own deviance, minimised over the others; where that search fails the spline's stays
  fit <- lme4::lmer(formula, data, REML = FALSE, control = tight)
  profiled <- profile(fit, devtol = 1e-10, maxpts = 400, delta = 0.05, signames = FALSE)
  table <- confint(profiled, level = level)
  criterion <- lme4:::devfun2(fit, useSc = TRUE, signames = FALSE)
  best <- attr(criterion, "optimum")[seq_len(length(getME(fit, "theta")) + 1)]
  correlation <- grepl("^cor", names(best))
  inner <- function(start, fixed, value) {
    others <- setdiff(seq_along(best), fixed)
    objective <- function(x) criterion(replace(replace(best, others, x), fixed, value))
    run <- list(par = start)
    for (round in 1:3) run <- nlminb(run$par, objective, lower = ifelse(correlation[others], -0.9999, 0), upper = ifelse(correlation[others], 0.9999, Inf),
                                     control = list(rel.tol = 1e-14, x.tol = 1e-12, iter.max = 1000, eval.max = 4000))
    if (length(others) > 1) run <- list(objective = optim(run$par, objective, control = list(reltol = 1e-15, maxit = 4000))$value)
    run$objective
  }
  target <- criterion(best) + qchisq(level, 1)
  exact <- table
  for (j in seq_along(best)) for (side in 1:2) {
    excess <- function(value) inner(best[-j], j, value) - target
    near <- table[j, side]
    exact[j, side] <- tryCatch(uniroot(excess, near + c(-0.01, 0.01) * abs(near), tol = 1e-10)$root, error = function(e) near)
  }
  list(formula = deparse1(formula), level = level, parameters = rownames(table), lower = unname(exact[, 1]), upper = unname(exact[, 2]),
       lower_of_spline = unname(table[, 1]), upper_of_spline = unname(table[, 2]))
}
out$profile <- list(sleepstudy = intervals(Reaction ~ Days + (1 + Days | Subject), sleep), sleep_intercept = intervals(Reaction ~ Days + (1 | Subject), sleep),
                    dyestuff = intervals(Yield ~ 1 + (1 | Batch), dyestuff), penicillin = intervals(diameter ~ 1 + (1 | plate) + (1 | sample), penicillin))
write_json(out, paste0(folder, "lmm/linear_extra.json"), digits = 16, auto_unbox = TRUE, pretty = TRUE, matrix = "rowmajor")
