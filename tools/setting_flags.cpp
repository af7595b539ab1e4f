#include "setting_flags.h"

#include "model_help.h"

namespace neurontune::cli {

const std::vector<FlagOfSetting>& setting_flags() {
  using G = SettingGroup;
  static const std::vector<FlagOfSetting> all = {
      {G::model, group::kModel, Use::common, "--model,MODEL", "model.path", "FILE", "", kModelHelp},
      {G::head, group::kModel, Use::common, "--head-name,--head", "model.head", "NAME", "",
       kHeadHelp},
      {G::head_name, group::kModel, Use::common, "--head-name", "model.head", "NAME", "",
       kHeadHelp},
      {G::model, group::kModel, Use::rare, "--output", "model.output", "NAME", "", kOutputHelp},
      {G::model, group::kModel, Use::rare, "--preload-lib", "model.preload_lib", "LIB,…", "",
       kPreloadHelp},
      {G::model, group::kModel, Use::common, "--extract-batch", "data.batch_size", "N",
       "1 to 1000000", "Samples that go through the model at once. Take fewer if memory runs out."},
      {G::model, group::kModel, Use::rare, "--embedding-dtype", "data.embedding_dtype", "NAME",
       "model, float32, float16 or bfloat16",
       "Number format in which embeddings are stored. model: the one the model gives."},
      {G::model, group::kModel, Use::rare, "--amp", "data.mixed_precision", "", "",
       "Run the model in automatic mixed precision: float16 on CUDA, bfloat16 on the CPU. The "
       "program fails if the embeddings differ by more than rounding."},
      {G::embeddings, group::kModel, Use::common, "--embeddings", "embeddings.path", "DIR", "",
       "Folder of stored embeddings with their labels and the head: instead of a model and its "
       "data."},
      {G::embeddings, group::kModel, Use::rare, "--arrays", "embeddings.arrays", "KEY=NAME,…", "",
       "Names of the arrays in the files of embeddings, where they differ from these keys: "
       "embeddings, labels, attributes, groups, ids, weight, bias. Example: "
       "embeddings=feats,labels=y."},
      {G::model, group::kImages, Use::common, "--data", "data.path", "DIR | FILE", "",
       "Folder of images or tensors, or the file that lists the samples (the manifest)."},
      {G::model, group::kImages, Use::common, "--format", "data.format", "NAME | FILE", "",
       "Layout of the data set: waterbirds, celeba, folders or another that docs/formats.md names, "
       "or a JSON file that describes it. auto recognises it."},
      {G::model, group::kImages, Use::common, "--resize", "data.transform.resize", "S | H,W",
       "1 to 65535", "Resize images: S sets the shorter side, H,W both sides."},
      {G::model, group::kImages, Use::common, "--crop", "data.transform.crop", "S | H,W",
       "1 to 65535", "Then cut a square of this side, or H,W, from the centre."},
      {G::model, group::kImages, Use::common, "--mean", "data.transform.mean", "M,…",
       "one number, or one a channel",
       "Then subtract this from each channel, whose values are 0 to 1."},
      {G::model, group::kImages, Use::common, "--std", "data.transform.std", "S,…",
       "over 0; one number, or one a channel", "Then divide each channel by this."},
      {G::model, group::kImages, Use::rare, "--channels", "data.transform.channels", "N", "1 or 3",
       "Channels that the model takes: 3 for colour, 1 for grey."},
      {G::model, group::kImages, Use::rare, "--interpolation", "data.transform.interpolation",
       "NAME", "nearest, bilinear, bicubic, lanczos, box or hamming",
       "Filter that images are resized with."},
      {G::model, group::kImages, Use::rare, "--skip-bad", "data.skip_bad", "", "",
       "Leave out images that cannot be read, and go on."},
      {G::splits, group::kSplits, Use::common, "--identify", "splits.identify", "SPLIT", "",
       "Held-out data on which biased dimensions are found and heads are compared: a split, or a "
       "part of one, such as val:1/2."},
      {G::tuning, group::kSplits, Use::common, "--tune", "splits.tune", "SPLIT", "",
       "Data on which the head is retrained: a split, or a part of one."},
      {G::identification, group::kIdentification, Use::common, "--threshold", "identify.threshold",
       "X", "any number", "A dimension is biased if its spuriousness score is over this."},
      {G::identification, group::kIdentification, Use::rare, "--threshold-quantile",
       "identify.threshold_quantile", "Q", "none, or 0 to 1",
       "Use this quantile of the scores as the threshold instead."},
      {G::identification, group::kIdentification, Use::rare, "--aggregate", "identify.aggregate",
       "NAME", "union, intersection, mean or per_class",
       "How a dimension's scores for the classes are combined. union: biased if it is for any "
       "class. intersection: for every class. mean: by the mean score. per_class: each class has "
       "its own biased dimensions."},
      {G::identification, group::kIdentification, Use::rare, "--activation", "identify.activation",
       "NAME", "raw or magnitude",
       "What a score compares between misclassified and correct samples: the activations as they "
       "are (raw) or their absolute values (magnitude)."},
      {G::identification, group::kIdentification, Use::common, "--keep-at-least",
       "identify.keep_at_least", "K", "auto, or 0 or more",
       "Leave at least K dimensions unmasked, whatever their scores. auto: the number of classes, "
       "or a sixteenth of the dimensions if that is more."},
      {G::identification, group::kIdentification, Use::common, "--mask-value",
       "identify.mask_value", "V", "0 to 1",
       "Factor that biased dimensions are multiplied by while the head is retrained: 0 removes "
       "them, 1 leaves them as they are."},
      {G::identification, group::kIdentification, Use::rare, "--significance",
       "identify.significance", "NAME", "none, plain or given_margin",
       "Statistical test that a biased dimension must also pass. plain: it is higher on "
       "misclassified samples than chance explains. given_margin: also among samples that are "
       "equally far from the decision boundary."},
      {G::identification, group::kIdentification, Use::rare, "--false-discovery-rate",
       "identify.false_discovery_rate", "X", "over 0, below 1",
       "With --significance: the expected share of false findings among a class's significant "
       "dimensions."},
      {G::tuning, group::kRetraining, Use::common, "--epochs", "tune.epochs", "N", "1 to 100000",
       "Epochs of retraining."},
      {G::tuning, group::kRetraining, Use::common, "--learning-rate,--lr", "tune.learning_rate",
       "X", "over 0", "Learning rate of SGD."},
      {G::tuning, group::kRetraining, Use::common, "--batch-size", "tune.batch_size", "N",
       "1 to 1000000", "Samples in a batch. Each class has the same share."},
      {G::tuning, group::kRetraining, Use::common, "--seed", "seed", "N", "0 or more",
       "Random seed of the batches, and of a fresh head."},
      {G::tuning, group::kRetraining, Use::rare, "--batches-per-epoch", "tune.batches_per_epoch",
       "N", "1 to 1000000", "Batches in an epoch."},
      {G::tuning, group::kRetraining, Use::rare, "--momentum", "tune.momentum", "X", "0 to below 1",
       "Momentum of SGD."},
      {G::tuning, group::kRetraining, Use::rare, "--weight-decay", "tune.weight_decay", "X",
       "0 or more", "Weight decay of SGD."},
      {G::tuning, group::kRetraining, Use::rare, "--refresh", "tune.refresh", "N", "0 or more",
       "Find the biased dimensions again every N epochs. 0: only once, at the start."},
      {G::tuning, group::kRetraining, Use::rare, "--start", "tune.start", "NAME", "erm or fresh",
       "Head that retraining starts from: the model's own (erm), or one with new random weights "
       "(fresh)."},
      {G::tuning, group::kSelection, Use::common, "--criterion", "select.criterion", "NAME",
       "inferred_groups, worst_group, sfit or guarded_sfit",
       "How the repaired head is chosen. inferred_groups: by the accuracy of the worst group, "
       "where groups are inferred and no attributes are seen. worst_group: the same with the "
       "attributes of --identify's data, which must be known. sfit: the epoch with the highest "
       "spuriousness fitness score, as in the paper. guarded_sfit: the same among epochs of good "
       "accuracy."},
      {G::tuning, group::kSelection, Use::common, "--max-drop", "select.max_drop", "X", "0 to 1",
       "With inferred_groups: how much class-balanced accuracy on held-out data a repair may cost, "
       "if there is evidence of a shortcut. 0: none."},
      {G::tuning, group::kSelection, Use::rare, "--guard", "select.guard", "X", "0 to 1",
       "With guarded_sfit: how much lower an epoch's class-balanced accuracy may be than the best "
       "epoch's."},
      {G::tuning, group::kSelection, Use::rare, "--evidence-threshold",
       "shortcut.evidence_threshold", "X", "0 or more",
       "With inferred_groups: how strong the evidence of a shortcut must be before a repair may "
       "cost accuracy."},
      {G::machine, group::kGeneral, Use::common, "--device", "device", "NAME",
       "auto, cpu, cuda or cuda:N",
       "Device that computes. auto: CUDA if there is one, else the CPU."},
      {G::machine, group::kGeneral, Use::common, "--threads", "threads", "N",
       "0 to 4 for each processor", "Threads on the CPU. 0: one for each core."},
  };
  return all;
}

}  // namespace neurontune::cli
