"""The experiments by their names, in the order in which `all` runs them."""
from experiments import (earlier_layer, identification_data, label_noise, mixed_causes, selection, sfit, sweeps,
                         transfer)

EXPERIMENTS = {
    **sweeps.EXPERIMENTS,
    "sfit": sfit.EXPERIMENT,
    "selection": selection.EXPERIMENT,
    "label_noise": label_noise.EXPERIMENT,
    "mixed_causes": mixed_causes.EXPERIMENT,
    "identification_data": identification_data.EXPERIMENT,
    "transfer": transfer.EXPERIMENT,
    "earlier_layer": earlier_layer.EXPERIMENT,
}
