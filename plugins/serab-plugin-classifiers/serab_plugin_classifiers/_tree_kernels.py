"""Compiled kernels that grow one classification tree, and compute the vote of a forest.

The tree equals, node by node, the tree that scikit-learn 1.9's `DecisionTreeClassifier` grows with Gini impurity and a
random subset of features at each node. The kernel draws the same random numbers in the same order, and compares
candidates with the same floating-point operations. Weights are bootstrap counts, so every sum is an exact integer and
does not depend on the order.

Only the sorting differs, which takes most of the time in scikit-learn. The ranks of each feature are computed once for
all trees. A node sorts these integers; a node that holds much of the data marks its ranks and scans all ranks instead.
"""

from __future__ import annotations

import numpy as np

from serab_plugin_classifiers._family import KERNELS

_TIE = np.float32(1e-7)  # values with a smaller difference count as equal, as in scikit-learn
_EPS = np.finfo(np.float64).eps
_SHORT = 96  # maximum length of a list that is sorted by counting smaller keys


@KERNELS.compiled("void(i4[::1], i4[::1], i8)")
def sort(keys, scratch, n):  # type: ignore[no-untyped-def]
    """Sort the first n distinct keys. Short lists are sorted by counting smaller keys, which vectorises."""
    if n <= _SHORT:
        for i in range(n):
            scratch[i] = keys[i]
        for i in range(n):
            key = scratch[i]
            smaller = np.int32(0)
            for j in range(n):
                smaller += np.int32(scratch[j] < key)
            keys[smaller] = key
        return
    for gap in (9841, 3281, 1093, 364, 121, 40, 13, 4, 1):  # Shellsort with Knuth's gaps
        for i in range(gap, n):
            key = keys[i]
            j = i
            while j >= gap and keys[j - gap] > key:
                keys[j] = keys[j - gap]
                j -= gap
            keys[j] = key


@KERNELS.compiled("UniTuple(i8, 2)(i4[::1], i8, i8, i8[::1], i8[::1], i8[::1])")
def weigh(samples, begin, end, y, weights, total):  # type: ignore[no-untyped-def]
    """Write the weights of the classes of a node into `total`; return their sum, and the sum of their squares."""
    total[:] = 0
    weight = 0
    for place in range(begin, end):
        sample = samples[place]
        total[y[sample]] += weights[sample]
        weight += weights[sample]
    squares = 0
    for c in range(len(total)):
        squares += total[c] * total[c]
    return weight, squares


@KERNELS.compiled("void(i4[::1], i4[::1], i8, i8, u1[::1], i4[::1], i4[::1])")
def sort_node(feature_ranks, samples, begin, end, marks, keys, scratch):  # type: ignore[no-untyped-def]
    """Write the sorted ranks of a node's samples into `keys`. A node with much of the data marks and scans the ranks.

    Args:
        feature_ranks: rank of each sample.
        samples, begin, end: the node's samples are `samples[begin:end]`.
        marks: zeros, one for each rank; zeros again afterwards.
        keys: sorted ranks, written in place.
        scratch: space for `sort`.
    """
    size = end - begin
    n = len(feature_ranks)
    if size > _SHORT and 12 * size > n:
        low, high = n, -1
        for place in range(begin, end):
            rank = feature_ranks[samples[place]]
            marks[rank] = 1
            low = min(low, rank)
            high = max(high, rank)
        at = 0
        for rank in range(low, high + 1):
            if marks[rank]:
                marks[rank] = 0
                keys[at] = rank
                at += 1
    else:
        for at in range(size):
            keys[at] = feature_ranks[samples[begin + at]]
        sort(keys, scratch, size)


@KERNELS.compiled(
    "Tuple((f8, i8, f8, i8, i8, i8))(i4[::1], i8, f4[::1], i4[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8, i8, f8)"
)
def find_threshold(  # type: ignore[no-untyped-def]
    keys, size, value, feature_order, y, weights, total, lefts, weight, squares, best_score
):
    """Return the best threshold of a feature that is better than `best_score`.

    Args:
        keys, size: `keys[:size]` are the sorted ranks of the node's samples.
        value, feature_order: value and sample of each rank.
        y, weights: class and weight of each sample.
        total: weight of each class in the node.
        lefts: space for the weight of each class on the left.
        weight, squares: sum, and sum of squares, of `total`.
        best_score: score of the best threshold so far.

    Returns:
        score; number of samples on the left, 0 if no threshold is better; threshold; weight on the left; sums of the
        squared weights of classes on the left and on the right.
    """
    best_place, best_threshold, best_left, best_left_squares, best_right_squares = 0, -2.0, 0, 0, 0
    lefts[:] = 0
    left_weight = 0
    left_squares = 0
    right_squares = squares
    for p in range(1, size):
        sample = feature_order[keys[p - 1]]
        w = weights[sample]
        c = y[sample]
        # (a + w)^2 = a^2 + w (2 a + w) on the left, and the corresponding change on the right
        left_squares += w * (2 * lefts[c] + w)
        right_squares -= w * (2 * (total[c] - lefts[c]) - w)
        lefts[c] += w
        left_weight += w
        if value[keys[p]] <= value[keys[p - 1]] + _TIE:
            continue
        wl, wr = float(left_weight), float(weight - left_weight)
        score = -(wr * (1.0 - float(right_squares) / (wr * wr))) - wl * (1.0 - float(left_squares) / (wl * wl))
        if score > best_score:
            best_score = score
            best_place = p
            best_threshold = float(value[keys[p - 1]]) / 2.0 + float(value[keys[p]]) / 2.0
            best_left = left_weight
            best_left_squares = left_squares
            best_right_squares = right_squares
    return best_score, best_place, best_threshold, best_left, best_left_squares, best_right_squares


@KERNELS.compiled(
    "Tuple((u4, i8, i8, i8, f8, i8, i8, i8))"
    "(i4[:, ::1], i4[:, ::1], f4[:, ::1], i8[::1], i8[::1], i8, u4, i4[::1], i8, i8, i8[::1], i8, i8, "
    "i8[::1], i8[::1], i8, i4[::1], i4[::1], i4[::1], u1[::1], i8[::1])"
)
def find_split(  # type: ignore[no-untyped-def]
    ranks, order, values, y, weights, n_tried, state, samples, begin, end, total, weight, squares,
    features, constants, n_known, keys, best_keys, scratch, marks, lefts,
):  # fmt: skip
    """Find the best split of a node, over features that are drawn one after the other.

    Args:
        ranks, order, values, y, weights, n_tried, state: as in `grow`.
        samples, begin, end: the node's samples are `samples[begin:end]`.
        total, weight, squares: weight of each class in the node, their sum, and the sum of their squares.
        features: all features, reordered in place: first the constant ones.
        constants, n_known: `constants[:n_known]` are known to be constant; new ones are written after them.
        keys, best_keys, scratch, marks, lefts: space; `best_keys` receives the sorted ranks by the best feature.

    Returns:
        state of the random generator; number of constant features; feature, -2 if no split exists; number of samples on
        the left; threshold; weight on the left; sums of squared weights of classes on the left and on the right.
    """
    best_score, best_feature, best_place, best_threshold = -np.inf, -2, 0, -2.0
    best_left, best_left_squares, best_right_squares = 0, 0, 0
    size = end - begin
    f_end = len(features)
    n_constant = n_known
    n_drawn = 0
    n_new_constants = 0
    n_visited = 0
    while f_end > n_constant and (n_visited < n_tried or n_visited <= n_new_constants + n_drawn):
        n_visited += 1
        state ^= (state << np.uint32(13)) & np.uint32(0xFFFFFFFF)
        state ^= state >> np.uint32(17)
        state ^= (state << np.uint32(5)) & np.uint32(0xFFFFFFFF)
        drawn = n_drawn + np.int64(state & np.uint32(0x7FFFFFFF)) % (f_end - n_new_constants - n_drawn)
        if drawn < n_known:
            features[n_drawn], features[drawn] = features[drawn], features[n_drawn]
            n_drawn += 1
            continue
        drawn += n_new_constants
        f = features[drawn]
        sort_node(ranks[f], samples, begin, end, marks, keys, scratch)
        value = values[f]
        if value[keys[size - 1]] <= value[keys[0]] + _TIE:
            features[drawn], features[n_constant] = features[n_constant], features[drawn]
            n_new_constants += 1
            n_constant += 1
            continue
        f_end -= 1
        features[f_end], features[drawn] = features[drawn], features[f_end]
        score, place, threshold, left_weight, left_squares, right_squares = find_threshold(
            keys, size, value, order[f], y, weights, total, lefts, weight, squares, best_score
        )
        if place > 0:
            best_score, best_feature, best_place, best_threshold = score, f, place, threshold
            best_left, best_left_squares, best_right_squares = left_weight, left_squares, right_squares
            best_keys[:size] = keys[:size]
    features[:n_known] = constants[:n_known]
    constants[n_known:n_constant] = features[n_known:n_constant]
    return (
        state, n_constant, best_feature, best_place, best_threshold, best_left, best_left_squares, best_right_squares,
    )  # fmt: skip


@KERNELS.compiled(
    "i8(i4[:, ::1], i4[:, ::1], f4[:, ::1], i8[::1], i8[::1], i8, i8, i8, i8, u4, "
    "i8[::1], i8[::1], i8[::1], f8[::1], f8[:, ::1])"
)
def grow(  # type: ignore[no-untyped-def]
    ranks, order, values, y, weights, n_classes, n_tried, depth_limit, min_samples, state,
    left, right, feature, threshold, shares,
):  # fmt: skip
    """Grow a tree and return its number of nodes. The depth is written into `left`, after the last node.

    Args:
        ranks: rank of each sample, by feature, shape (d, n).
        order: sample of each rank, by feature, shape (d, n).
        values: value of each rank, by feature, float32, shape (d, n).
        y: class of each sample.
        weights: how often each sample was drawn; samples with weight 0 are ignored.
        n_classes: number of classes.
        n_tried: features to search in each node.
        depth_limit: nodes at this depth are leaves.
        min_samples: nodes with fewer samples are leaves.
        state: state of the random generator, above 0.
        left, right, feature, threshold, shares: the nodes, written in place.
    """
    d, n = ranks.shape
    samples = np.flatnonzero(weights).astype(np.int32)
    m = len(samples)
    whole = weights.sum()
    features = np.arange(d)
    constants = np.empty(d, np.int64)
    keys = np.empty(n, np.int32)
    best_keys = np.empty(n, np.int32)
    scratch = np.empty(n, np.int32)
    marks = np.zeros(n, np.uint8)
    total = np.empty(n_classes, np.int64)
    lefts = np.empty(n_classes, np.int64)
    # begin, end, depth, parent, whether it is a left child, known constant features
    stack = np.empty((2 * m + 2, 6), np.int64)
    impurities = np.empty(2 * m + 2)
    stack[0] = (0, m, 0, -1, 0, 0)
    waiting = 1
    nodes = 0
    deepest = 0
    while waiting:
        waiting -= 1
        begin, end, depth, parent, is_left, n_known = stack[waiting]
        impurity = impurities[waiting]
        size = end - begin
        weight, squares = weigh(samples, begin, end, y, weights, total)
        if parent < 0:
            impurity = 1.0 - float(squares) / (float(weight) * float(weight))
        is_leaf = depth >= depth_limit or size < min_samples or size < 2 or impurity <= _EPS
        n_constant = n_known
        best_feature = -2
        if not is_leaf:
            split = find_split(
                ranks, order, values, y, weights, n_tried, state, samples, begin, end, total, weight, squares,
                features, constants, n_known, keys, best_keys, scratch, marks, lefts,
            )  # fmt: skip
            state, n_constant, best_feature, best_place, best_threshold, best_left, left_squares, right_squares = split
            is_leaf = best_feature < 0
        if not is_leaf:
            wl, wr, w_all = float(best_left), float(weight - best_left), float(weight)
            left_impurity = 1.0 - float(left_squares) / (wl * wl)
            right_impurity = 1.0 - float(right_squares) / (wr * wr)
            gain = (w_all / float(whole)) * (impurity - (wr / w_all * right_impurity) - (wl / w_all * left_impurity))
            is_leaf = gain + _EPS < 0.0
        node = nodes
        nodes += 1
        deepest = max(deepest, depth)
        if parent >= 0:
            if is_left:
                left[parent] = node
            else:
                right[parent] = node
        for c in range(n_classes):
            shares[node, c] = float(total[c]) / float(weight)
        if is_leaf:
            left[node] = -1
            right[node] = -1
            feature[node] = -2
            threshold[node] = -2.0
            continue
        feature[node] = best_feature
        threshold[node] = best_threshold
        for at in range(size):
            samples[begin + at] = order[best_feature, best_keys[at]]
        middle = begin + best_place
        stack[waiting] = (middle, end, depth + 1, node, 0, n_constant)
        impurities[waiting] = right_impurity
        waiting += 1
        stack[waiting] = (begin, middle, depth + 1, node, 1, n_constant)
        impurities[waiting] = left_impurity
        waiting += 1
    left[nodes] = deepest
    return nodes


@KERNELS.compiled("void(f4[:, ::1], i8[::1], i8[::1], i8[::1], i8[::1], f8[::1], f8[:, ::1], f8[:, ::1])")
def vote(X, starts, left, right, feature, threshold, shares, total):  # type: ignore[no-untyped-def]
    """Add the class fractions at each row's leaf, tree by tree, to `total`, shape (n, k)."""
    for tree in range(len(starts) - 1):
        first = starts[tree]
        for row in range(len(X)):
            node = first
            while left[node] >= 0:
                low = float(X[row, feature[node]]) <= threshold[node]
                node = first + (left[node] if low else right[node])
            for c in range(total.shape[1]):
                total[row, c] += shares[node, c]
