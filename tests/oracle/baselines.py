"""The baselines written straight from their equations, with PyTorch's autograd and optimisers and
scikit-learn: slow and obvious.

The C++ library is held against this. Nothing here looks at the library's code. Random draws come
from a torch.Generator, in the order that each method's header gives.
"""

from __future__ import annotations

import sklearn
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch.nn.functional import cross_entropy, linear

import method


def worst_class_accuracy(head, split):
    z, y = split
    right = method.predict(*head, z) == y
    return min(float(right[y == c].double().mean()) for c in y.unique())


def first_best(candidates):
    """(figure, …) of the highest figure, of equals the first."""
    return max(candidates, key=lambda candidate: candidate[0])


# ---------------------------------------------------------------- last-layer retraining


def retrain_last_layer(split, weight, bias, tuning: method.Tuning, seed):
    generator = torch.Generator().manual_seed(seed)
    start = (weight, bias)
    if tuning.start == "fresh":
        start = method.fresh_head(weight, bias, generator)
    retrainer = method.HeadRetrainer(*split, *start, tuning, generator)
    for _ in range(tuning.epochs):
        retrainer.run_epoch()
    return retrainer.head()


# ---------------------------------------------------------------- deep feature reweighting


def l1_logistic_regression(features, targets, inverse_penalty, tolerance=1e-4):
    """Weights [M] and intercept of class 1 against class 0."""
    recent = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 8)
    l1 = dict(l1_ratio=1.0) if recent else dict(penalty="l1")
    model = LogisticRegression(
        **l1, C=inverse_penalty, solver="liblinear", tol=tolerance, max_iter=10000, random_state=0)
    model.fit(features, targets)
    return model.coef_[0], model.intercept_[0]


def regressions(features, labels, classes, inverse_penalty, tolerance=1e-4):
    """Weights [R, M] and intercepts [R]: one for two classes, else one against the rest each."""
    positives = [1] if classes == 2 else range(classes)
    fits = [l1_logistic_regression(features, (labels == c).astype(int), inverse_penalty, tolerance)
            for c in positives]
    return (torch.tensor([list(w) for w, _ in fits], dtype=torch.float64),
            torch.tensor([float(b) for _, b in fits], dtype=torch.float64))


def balanced_subset(groups, generator):
    rows = [torch.nonzero(groups == g).flatten() for g in groups.unique()]
    size = min(len(r) for r in rows)
    return torch.cat([r[torch.randperm(len(r), generator=generator)[:size]] for r in rows])


def scores_of_classes(features, weight, intercept):
    scores = torch.as_tensor(features) @ weight.T + intercept
    return torch.cat([torch.zeros_like(scores), scores], dim=1) if len(weight) == 1 else scores


def dfr(tuning, held_out, classes, values, inverse_penalties, refits, seed):
    """The C chosen, each C's worst-group accuracy, and the averaged head on raw embeddings."""
    z, y, a = tuning
    z_held, y_held, a_held = held_out
    scaler = StandardScaler().fit(z.double().numpy())
    standardised = scaler.transform(z.double().numpy())
    generator = torch.Generator().manual_seed(seed)

    def fit(rows, inverse_penalty):
        return regressions(standardised[rows], y[rows].numpy(), classes, inverse_penalty)

    rows = balanced_subset(y * values + a, generator)
    worst = []
    for inverse_penalty in inverse_penalties:
        scores = scores_of_classes(
            scaler.transform(z_held.double().numpy()), *fit(rows, inverse_penalty))
        right = (scores.argmax(dim=1) == y_held).double()
        groups = y_held * values + a_held
        worst.append(min(float(right[groups == g].mean()) for g in groups.unique()))
    chosen = worst.index(max(worst))

    fits = [fit(balanced_subset(y * values + a, generator), inverse_penalties[chosen])
            for _ in range(refits)]
    weight = torch.stack([w for w, _ in fits]).mean(0)
    intercept = torch.stack([b for _, b in fits]).mean(0)
    # w·(z − m)/s + b = (w/s)·z + (b − (w/s)·m)
    weight = weight / torch.tensor(scaler.scale_)
    intercept = intercept - weight @ torch.tensor(scaler.mean_)
    if classes == 2:
        weight = torch.cat([torch.zeros_like(weight), weight])
        intercept = torch.cat([torch.zeros_like(intercept), intercept])
    return chosen, worst, (weight, intercept)


# ---------------------------------------------------------------- automatic feature reweighting


def afr_head(split, weight, bias, gamma, penalty, steps, learning_rate, gradient_norm):
    z, y = split
    counts = torch.bincount(y)
    probability = linear(z, weight, bias).softmax(1)[torch.arange(len(y)), y]
    mu = torch.exp(-gamma * probability) / counts[y]
    mu = mu / mu.sum()
    start = [weight] if bias is None else [weight, bias]
    parameters = [p.clone().requires_grad_() for p in start]
    optimizer = torch.optim.SGD(parameters, lr=learning_rate)
    for _ in range(steps):
        optimizer.zero_grad()
        logits = linear(z, *parameters)
        distance = sum(((p - p0) ** 2).sum() for p, p0 in zip(parameters, start))
        loss = (mu * cross_entropy(logits, y, reduction="none")).sum() + penalty * distance
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, gradient_norm)
        optimizer.step()
    parameters = [p.detach() for p in parameters]
    return parameters[0], None if bias is None else parameters[1]


def afr(split, held_out, weight, bias, gammas, penalties, steps, learning_rate, gradient_norm):
    """(worst-class accuracy, γ, λ, head) of the setting chosen."""
    candidates = []
    for gamma in gammas:
        for penalty in penalties:
            head = afr_head(
                split, weight, bias, gamma, penalty, steps, learning_rate, gradient_norm)
            candidates.append((worst_class_accuracy(head, held_out), gamma, penalty, head))
    return first_best(candidates)


# ---------------------------------------------------------------- ShortcutProbe


def probe_sets(z, y, weight, bias, share):
    """D_cor and D_mis, a list of rows for each class."""
    logits = linear(z, weight, bias)
    losses = cross_entropy(logits, y, reduction="none")
    entropy = -(logits.softmax(1) * logits.log_softmax(1)).sum(1)
    cor, mis = [], []
    for c in range(len(weight)):
        rows = torch.nonzero(y == c).flatten()
        by_loss = rows[torch.argsort(losses[rows], stable=True)]
        kept = int(len(rows) * share)
        for half, chosen in [(by_loss[:len(rows) // 2], cor),
                             (by_loss[len(rows) - len(rows) // 2:], mis)]:
            chosen.append(half[torch.argsort(entropy[half], stable=True)][:kept])
    return cor, mis


def picked(rows_of_class, classes, uniform):
    return torch.tensor([[int(rows_of_class[c][int(u * len(rows_of_class[c]))])
                          for c, u in zip(*pair)] for pair in zip(classes.tolist(),
                                                                  uniform.tolist())])


def shortcut_parts(z, prompts):
    gram = prompts @ prompts.T + torch.ones(len(prompts), len(prompts), dtype=prompts.dtype)
    return z @ (prompts.T @ torch.linalg.inv(gram) @ prompts)


def shortcut_probe(probe, held_out, weight, bias, *, prompts, probe_share, similarity_weight,
                   shortcut_weight, detection_epochs, mitigation_epochs, batch_size,
                   detection_learning_rate, mitigation_learning_rate, momentum, weight_decay,
                   seed):
    """The prompts, and (worst-class accuracy, epoch, head) of the mitigation chosen."""
    z, y = probe
    z_held, y_held = held_out
    classes = len(weight)
    generator = torch.Generator().manual_seed(seed)
    predicted = method.predict(weight, bias, z)
    cor, mis = probe_sets(z, y, weight, bias, probe_share)
    batches = (sum(map(len, cor)) + sum(map(len, mis))) // batch_size + 1
    sgd = dict(momentum=momentum, weight_decay=weight_decay)

    def uniform(pairs):
        return torch.rand(batches, pairs, dtype=torch.float64, generator=generator)

    unit = torch.randn(prompts, z.shape[1], dtype=z.dtype, generator=generator)
    vectors = (unit * z.var(dim=0).sqrt()).requires_grad_()
    optimizer = torch.optim.SGD([vectors], lr=detection_learning_rate, **sgd)
    found = []
    for _ in range(detection_epochs):
        pairs = batch_size // 2
        drawn = torch.randint(0, classes, (batches, pairs), generator=generator)
        batch_mis = picked(mis, drawn, uniform(pairs))
        batch_cor = picked(cor, predicted[batch_mis], uniform(pairs))
        for rows in torch.cat([batch_cor, batch_mis], dim=1):
            parts = shortcut_parts(z[rows], vectors)
            loss = cross_entropy(linear(parts, weight, bias), predicted[rows])
            loss = loss + similarity_weight * parts.norm(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            right = method.predict(weight, bias, shortcut_parts(z_held, vectors)) == y_held
        found.append((float(right.double().mean()), vectors.detach().clone()))
    _, chosen = first_best(found)

    parameters = [p.clone().requires_grad_() for p in ([weight] if bias is None
                                                       else [weight, bias])]
    optimizer = torch.optim.SGD(parameters, lr=mitigation_learning_rate, **sgd)
    all_mis = torch.cat(mis)
    candidates = []
    for epoch in range(1, mitigation_epochs + 1):
        ranks = torch.randint(0, len(all_mis), (batches, batch_size), generator=generator)
        batch_mis = all_mis[ranks]
        batch_cor = picked(cor, y[batch_mis], uniform(batch_size))
        for rows_mis, rows_cor in zip(batch_mis, batch_cor):
            rows = torch.cat([rows_mis, rows_cor])
            loss = cross_entropy(linear(z[rows], *parameters), y[rows])
            taken_for = torch.cat([predicted[rows_mis], y[rows_cor]])
            shortcut_loss = cross_entropy(
                linear(shortcut_parts(z[rows], chosen), *parameters), taken_for)
            optimizer.zero_grad()
            (shortcut_weight * loss / (shortcut_loss + 1e-10)).backward()
            optimizer.step()
        head = [p.detach().clone() for p in parameters] + ([None] if bias is None else [])
        candidates.append((worst_class_accuracy(head, held_out), epoch, head))
    return chosen, first_best(candidates)


# ---------------------------------------------------------------- SELF


def error_set(y, predicted, classes, generator):
    """Every mistake, and of each class as many correct samples."""
    wrong = [torch.nonzero((y == c) & (predicted != c)).flatten() for c in range(classes)]
    right = [torch.nonzero((y == c) & (predicted == c)).flatten() for c in range(classes)]
    counts = [len(w) for w in wrong if len(w)]
    mean = max(1, int(sum(counts) / len(counts) + 0.5))
    rows = []
    for w, r in zip(wrong, right):
        order = torch.randperm(len(r), generator=generator)
        rows += [w, r[order[:len(w) if len(w) else mean]]]
    return torch.cat(rows)


def self_retrained(fine_tuning, held_out, weight, bias, learning_rates, steps, batch_size,
                   momentum, weight_decay, seed):
    """(worst-class accuracy, learning rate, head) of the rate chosen, and the set's size."""
    z, y = fine_tuning
    generator = torch.Generator().manual_seed(seed)
    rows = error_set(y, method.predict(weight, bias, z), len(weight), generator)
    state = generator.get_state()
    candidates = []
    for rate in learning_rates:
        generator.set_state(state)
        retrainer = method.HeadRetrainer(
            z[rows], y[rows], weight, bias,
            method.Tuning(epochs=1, batches_per_epoch=steps, batch_size=batch_size,
                          learning_rate=rate, momentum=momentum, weight_decay=weight_decay),
            generator)
        retrainer.run_epoch()
        candidates.append((worst_class_accuracy(retrainer.head(), held_out), rate,
                           retrainer.head()))
    return first_best(candidates), len(rows)
