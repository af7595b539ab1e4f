"""The group counts of the field's benchmarks, scaled to what two cores can train.

A layout tells how many samples of each (label, attribute) a split holds, in order (0, 0), (0, 1), (1, 0) …; the
attribute is binary in all of them. Counts are those of the published sets (Sagawa et al. 2020; Koh et al. 2021)
divided by what `scale` says; test is large in every group, since worst-group accuracy is measured there.
"""
import collections

Layout = collections.namedtuple("Layout", "of train val test hard")

LAYOUTS = {
    "W": Layout("Waterbirds; val balanced within each class, as the published one is",
                [3498, 184, 56, 1057], [467, 466, 133, 133], [900, 900, 450, 450], False),
    "W95": Layout("Waterbirds, val as biased as train",
                  [3498, 184, 56, 1057], [886, 47, 14, 252], [900, 900, 450, 450], False),
    "N": Layout("W's classes without a shortcut",
                [1841, 1841, 556, 557], [467, 466, 133, 133], [900, 900, 450, 450], False),
    "C": Layout("CelebA: train / 16, val / 8; one class has both values alike",
                [4476, 4180, 1430, 87], [1067, 1034, 359, 23], [700, 700, 450, 350], False),
    "CN": Layout("C's classes without a shortcut",
                 [4328, 4328, 758, 759], [1050, 1051, 191, 191], [700, 700, 450, 350], False),
    "M": Layout("MultiNLI: train / 30, val / 10; hard labels",
                [1917, 372, 2246, 51, 2221, 66], [2281, 463, 2695, 61, 2666, 80], [400] * 6, True),
    "V": Layout("CivilComments: train / 50, val as train / 60 of its size; hard labels",
                [2964, 1807, 255, 356], [2470, 1506, 212, 296], [700, 550, 400, 450], True),
}
# Originals of a class that the image families have for train and val, and for test.
MOST_TRAINING, MOST_TEST = 6000, 1000
# A network depends on train alone, so that W95 takes W's.
SAME_TRAIN = {"W95": "W"}


def classes(layout):
    return len(layout.train) // 2


def groups(counts):
    """[(label, attribute, samples)]"""
    return [(k // 2, k % 2, count) for k, count in enumerate(counts)]


def scaled(counts, factor):
    return [max(4, round(count * factor)) for count in counts]


def fitted(layout, most_training=MOST_TRAINING, most_test=MOST_TEST):
    """The layout with so many samples of a class, and of an attribute, at most: in train and val, and in test."""
    def most(counts):
        return max(*(sum(counts[2 * y:2 * y + 2]) for y in range(len(counts) // 2)), sum(counts[0::2]), sum(counts[1::2]))
    both = [a + b for a, b in zip(layout.train, layout.val)]
    training, test = (min(1, 0.99 * limit / most(counts)) for limit, counts in ((most_training, both), (most_test, layout.test)))
    return layout._replace(train=scaled(layout.train, training), val=scaled(layout.val, training),
                           test=scaled(layout.test, test))


def of_class(counts, label, most):
    """A class's samples of each attribute, where the largest class has so many."""
    largest = max(sum(counts[2 * y:2 * y + 2]) for y in range(len(counts) // 2))
    return scaled(counts[2 * label:2 * label + 2], most / largest)


def with_wrong_labels(labels, count, fraction, generator):
    """Labels of which a fraction, drawn at random, is replaced by another of `count` classes. NumPy arrays."""
    wrong = generator.random(len(labels)) < fraction
    return (labels + wrong * generator.integers(1, count, len(labels))) % count
