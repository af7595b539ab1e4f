"""The experiments by their names, in the order in which `all` runs them."""
from experiments import sfit, sweeps

EXPERIMENTS = {
    **sweeps.EXPERIMENTS,
    "sfit": sfit.EXPERIMENT,
}
