# Reference values for profile intervals, conditional modes, predictions, residuals, likelihood ratios, refits without a group,
# R squared, marginal means, contrasts and slopes.
# Run from tests/reference: Rscript R/result_modules.R > data/lmm/result_modules.json
suppressMessages({library(lme4); library(emmeans); library(jsonlite); library(splines)})
emm_options(lmer.df = "asymptotic")
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = .2, rhoend = 1e-13, maxfun = 1e6), calc.derivs = FALSE)
read <- function(name) read.csv(file.path("data", "mixed", paste0(name, ".csv")))
sleep <- read("sleepstudy"); sleep$Subject <- factor(sleep$Subject)
sim3 <- read("sim3"); sim3$pid <- factor(sim3$pid)
pen <- read("penicillin"); dye2 <- read("dyestuff2"); cbpp <- read("cbpp"); cbpp$period <- factor(cbpp$period); cbpp$herd <- factor(cbpp$herd)
out <- list(versions = list(R = R.version.string, lme4 = as.character(packageVersion("lme4")), emmeans = as.character(packageVersion("emmeans"))))

profiled <- function(model) { ci <- confint(model, oldNames = FALSE, quiet = TRUE, devtol = 1e-9); data.frame(name = rownames(ci), lower = ci[, 1], upper = ci[, 2]) }
out$profile <- list(
  sleepstudy = profiled(lmer(Reaction ~ Days + (1 + Days | Subject), sleep, REML = FALSE, control = tight)),
  sim3 = profiled(lmer(y ~ wave * arm + role + (1 | center/pid), sim3, REML = FALSE, control = tight)),
  penicillin = profiled(lmer(diameter ~ 1 + (1 | plate) + (1 | sample), pen, REML = FALSE, control = tight)))

m <- lmer(Reaction ~ Days + (1 + Days | Subject), sleep, control = tight)
modes <- ranef(m, condVar = TRUE)$Subject
new <- data.frame(Days = c(0, 4.5, 12), Subject = c("308", "309", "308"))
out$sleepstudy <- list(
  level = rownames(modes), intercept = modes[, 1], days = modes[, 2],
  sd_intercept = sqrt(attr(modes, "postVar")[1, 1, ]), sd_days = sqrt(attr(modes, "postVar")[2, 2, ]),
  fitted = fitted(m), residual = resid(m), scaled = resid(m, scaled = TRUE),
  new = new, conditional = predict(m, new), population = predict(m, new, re.form = NA))

ml <- lmer(y ~ wave * arm + role + (1 | center/pid), sim3, REML = FALSE, control = tight)
without <- lmer(y ~ wave + role + (1 | center/pid), sim3, REML = FALSE, control = tight)
out$likelihood_ratio <- list(chisq = as.numeric(2 * (logLik(ml) - logLik(without))), p = anova(ml, without)[2, "Pr(>Chisq)"])

full <- lmer(y ~ wave * arm + role + (1 | center/pid), sim3, control = tight)
out$leave_one_out <- lapply(sort(unique(sim3$center)), function(g) {
  part <- lmer(y ~ wave * arm + role + (1 | center/pid), subset(sim3, center != g), control = tight)
  list(group = g, beta = fixef(part)[c("(Intercept)", "wave", "arm", "role", "wave:arm")], se = sqrt(diag(as.matrix(vcov(part))))[c(1, 2, 3, 4, 5)],
       names = names(fixef(part)))
})
nakagawa <- function(model, random) {
  fixed <- var(as.vector(model.matrix(model) %*% fixef(model)))
  list(marginal = fixed / (fixed + random + sigma(model)^2), conditional = (fixed + random) / (fixed + random + sigma(model)^2))
}
z <- model.matrix(~ Days, sleep); g <- as.matrix(VarCorr(m)$Subject)
out$r_squared <- list(
  sleepstudy = nakagawa(m, mean(rowSums((z %*% g) * z))),
  sim3 = nakagawa(full, sum(unlist(lapply(VarCorr(full), function(v) v[1])))))

sim3$wave_f <- factor(sim3$wave); sim3$arm_f <- factor(ifelse(sim3$arm == 1, "yes", "no"))
grid <- lmer(y ~ wave_f * arm + role + (1 | center/pid), sim3, control = tight)
words <- lmer(y ~ wave_f * arm_f + role + (1 | center/pid), sim3, control = tight)
curve <- lmer(y ~ poly(wave, 2) * arm + role + (1 | center/pid), sim3, control = tight)
table_of <- function(x) as.data.frame(x)
by_arm <- emmeans(words, ~ wave_f | arm_f)
out$emmeans <- list(
  wave = table_of(emmeans(grid, ~ wave_f)), wave_arm = table_of(emmeans(words, ~ wave_f * arm_f)),
  wave_proportional = table_of(emmeans(words, ~ wave_f, weights = "proportional")),
  arm_at = table_of(emmeans(words, ~ arm_f, at = list(wave_f = c("0", "2"), role = .25))),
  pairwise = table_of(pairs(by_arm, adjust = "holm")), treatment = table_of(contrast(by_arm, "trt.vs.ctrl", adjust = "none")),
  consecutive = table_of(contrast(by_arm, "consec", adjust = "BH")),
  kenward_roger = table_of(emmeans(words, ~ wave_f * arm_f, lmer.df = "kenward-roger")),
  slope = table_of(emtrends(full, ~ arm, var = "wave")),
  slope_sleepstudy = table_of(emtrends(m, ~ 1, var = "Days")))

glmm <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, family = binomial,
              control = glmerControl(optimizer = "bobyqa", tolPwrss = 1e-13, optCtrl = list(rhobeg = .2, rhoend = 1e-10, maxfun = 1e6)))
null <- update(glmm, . ~ . - period)
out$cbpp <- list(log_likelihood = as.numeric(logLik(glmm)), null_log_likelihood = as.numeric(logLik(null)),
  link = table_of(emmeans(glmm, ~ period)), response = table_of(emmeans(glmm, ~ period, type = "response")),
  ratios = table_of(pairs(emmeans(glmm, ~ period), type = "response", adjust = "holm")),
  modes = ranef(glmm)$herd[, 1], level = rownames(ranef(glmm)$herd), fitted = as.numeric(fitted(glmm)), pearson = as.numeric(resid(glmm, type = "pearson")))
cat(toJSON(out, digits = NA, auto_unbox = TRUE, dataframe = "columns", pretty = TRUE))
