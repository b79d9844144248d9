"""The gradient check of the laws finds every small mistake in a backward.

Each test takes the source of a module, makes one change in one function that computes gradients
(a term dropped, a sign flipped, a derivative swapped, a transpose lost, a line left out), runs the
changed module, and requires that the gradient check fails or the code does. The share of changes
found is printed at the end of the run.
"""

import ast
import copy
import importlib
import inspect
import types

import numpy as np
import pytest
from contracts import SameDropout, gradient_errors, nudge
from slow_losses import LOSS_FORMS, SLOW_LOSSES, draw_target, loss_gradient_error

from course_utils import cells, layers, recurrent
from course_utils.checks import TOLERANCE

SWAPPED = {  # a call on the left becomes each of the calls on the right
    "sigmoid_derivative": ["tanh_derivative", None],  # None: the value in place of its slope
    "tanh_derivative": ["sigmoid_derivative", None],
    "tanh": [None],
    "exp": [None],
    "bias_gradient": ["np.mean"],
}


CHECKS = ("require.", "_checked", "_scores", "np.asarray")  # a line that begins so only checks

# Changes that no test can find, because the changed code computes the same. Each with its reason.
EQUIVALENT = {
    "Dense.backward: constant + 1: 1": "reshape reads -2 as -1: any negative length is the rest",
    "_total: constant + 1: 1": "the same, in reshape(replicas, -1)",
}


# ------------------------------------------------------------------ making mutants


def replacements(node):
    """Give (what was done, new node) for every small mistake that can be made at `node`."""
    if isinstance(node, ast.BinOp):
        left, op, right = node.left, node.op, node.right
        flipped = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult}
        if type(op) in flipped:
            yield "operator", ast.BinOp(left, flipped[type(op)](), right)
        yield "right side dropped", left
        yield "left side dropped", right
        if isinstance(op, ast.MatMult):
            yield "factors swapped", ast.BinOp(right, op, left)
    elif isinstance(node, ast.Attribute) and node.attr == "mT":
        yield "transpose lost", node.value
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign lost", node.operand
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield "constant + 1", ast.Constant(node.value + 1)
    elif isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        for other in SWAPPED.get(name, []):
            if other is None:
                yield f"{name} left out", node.args[0]
            else:
                call = ast.parse(other, mode="eval").body
                yield f"{name} -> {other}", ast.Call(call, node.args, [])
    elif isinstance(node, ast.IfExp):
        yield "always", node.body
        yield "never", node.orelse


def statements(node):
    """Give (what was done, new statement) for every mistake at a whole line."""
    if isinstance(node, ast.AugAssign):
        flipped = {ast.Add: ast.Sub, ast.Sub: ast.Add}
        yield "operator", ast.AugAssign(node.target, flipped[type(node.op)](), node.value)
        target = copy.deepcopy(node.target)
        target.ctx = ast.Store()
        yield "overwritten", ast.Assign([target], node.value)
    if isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr, ast.If)):
        yield "line left out", ast.Pass()


def is_check(node):
    """A docstring, or a line that only checks arguments: nothing that computes a gradient."""
    if isinstance(node, ast.If):
        return all(isinstance(line, ast.Raise) for line in node.body)
    value = getattr(node, "value", None)
    if isinstance(node, (ast.Assign, ast.Expr)) and isinstance(value, ast.Call):
        return ast.unparse(value.func).startswith(CHECKS)
    return isinstance(node, ast.Expr) and isinstance(value, ast.Constant)


def places(function):
    """Give (parent, field, index, node) of everything inside a function that can be mutated."""
    todo = [(function, "body", i, node) for i, node in enumerate(function.body)]
    while todo:
        parent, field, index, node = todo.pop()
        if isinstance(node, ast.stmt) and is_check(node):
            continue
        yield parent, field, index, node
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.AST):
                todo.append((node, name, None, value))
            elif isinstance(value, list):
                todo += [(node, name, i, v) for i, v in enumerate(value) if isinstance(v, ast.AST)]


def put(parent, field, index, node):
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def functions_of(tree, names):
    """Find functions by "name" or "Class.name"."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in names:
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and f"{node.name}.{inner.name}" in names:
                    yield f"{node.name}.{inner.name}", inner


def mutants(module, names):
    """Give (description, changed module) for every single mistake in the functions `names`."""
    tree = ast.parse(inspect.getsource(module))
    found = list(functions_of(tree, names))
    assert {name for name, _ in found} == set(names)
    for name, function in found:
        for parent, field, index, node in list(places(function)):
            kind = statements if isinstance(node, ast.stmt) else replacements
            for what, new in kind(node):
                put(parent, field, index, ast.fix_missing_locations(ast.copy_location(new, node)))
                mutant = types.ModuleType("mutant")
                exec(compile(tree, "mutant", "exec"), mutant.__dict__)
                put(parent, field, index, node)
                yield f"{name}: {what}: {ast.unparse(node)}", mutant


# ------------------------------------------------------------------ catching them


def wrong(layer, X, mask=None):
    """The gradient check of the laws fails, or the code does."""
    try:
        with np.errstate(all="ignore"):
            errors = gradient_errors(nudge(layer, np.random.default_rng(2)), X, mask=mask, most=3)
    except Exception:
        return True
    return not max(errors.values(), default=0) < TOLERANCE


MASK = np.array([[1, 1, 1, 0], [1, 0, 1, 1], [0, 1, 0, 1]], bool)


def recurrent_layers(cell, Recurrent, T):
    """B = D = U, so that a lost transpose shows in the numbers and not in the shapes."""
    rng = np.random.default_rng(0)
    X, mask = rng.normal(size=(3, T, 3)), MASK[:, :T]
    yield Recurrent(cell(3, 3, rng)), X, None
    yield Recurrent(cell(3, 3, rng)), X, mask
    yield layers.Sequential(Recurrent(cell(3, 3, rng))), X, mask  # no gradient of the final state
    yield Recurrent(cell(3, 3, rng, replicas=2)), np.stack([X, -X]), mask


def cell_is_wrong(mutant, description):
    owner = description.split(".")[0] if "." in description.split(":")[0] else "LSTMCell"
    return any(
        wrong(*case) for case in recurrent_layers(getattr(mutant, owner), recurrent.Recurrent, 2)
    )


def scan_is_wrong(mutant, description):
    return any(wrong(*case) for case in recurrent_layers(cells.LSTMCell, mutant.Recurrent, 4))


def function_is_wrong(mutant, description):
    """A cell that computes with the changed function."""
    changed = types.ModuleType("changed")
    exec(compile(inspect.getsource(cells), "changed", "exec"), changed.__dict__)
    name = description.split(":")[0]
    setattr(changed, name, getattr(mutant, name))
    return cell_is_wrong(changed, "LSTMCell.")


def layer_is_wrong(mutant, description):
    rng = np.random.default_rng(0)
    X, tokens = rng.normal(size=(3, 3, 3)), rng.integers(0, 3, (3, 3))

    class SameEveryTime(mutant.Dropout):
        forward = SameDropout.forward

    SameEveryTime.forward = lambda self, X, mask=None: (
        setattr(self, "rng", np.random.default_rng(3)),
        mutant.Dropout.forward(self, X, mask),
    )[1]
    cases = {
        "Dense": [(mutant.Dense(3, 3, rng), X), (mutant.Dense(3, 3, rng, replicas=3), X)],
        "Embedding": [(mutant.Embedding(3, 3, rng), tokens)],
        "Flip": [(mutant.Flip(), X)],
        "Same": [(mutant.Same(), X)],
        "Last": [(mutant.Last(), X)],
        "Dropout": [(SameEveryTime(0.4, rng), X)],
        "Sequential": [(mutant.Sequential(mutant.Dense(3, 3, rng), mutant.Flip()), X)],
        "Concat": [(mutant.Concat(mutant.Dense(3, 3, rng), mutant.Flip()), X)],
    }
    return any(wrong(*case) for case in cases[description.split(".")[0]])


def loss_is_wrong(mutant, description):
    rng = np.random.default_rng(0)
    for name, slow in SLOW_LOSSES.items():
        if description.startswith(("_", name)):
            for shape, options in LOSS_FORMS:
                Y, target = rng.normal(size=shape), draw_target(name, rng, shape)
                try:
                    with np.errstate(all="ignore"):
                        loss, dY = getattr(mutant, name)(Y, target, **options)
                    if not np.allclose(loss, slow(Y, target, **options), rtol=1e-10, atol=0):
                        return True
                    if not loss_gradient_error(slow, Y, target, dY, options) < TOLERANCE:
                        return True
                except Exception:
                    return True
    return False


# ------------------------------------------------------------------ the tests

CELL_BACKWARDS = [
    "RNNCell.backward",
    "LSTMCell.backward",
    "GRUCell.backward",
    "GRUResetAfterCell.backward",
    "_through_gates",
]
LAYER_BACKWARDS = [
    f"{name}.backward"
    for name in ("Dense", "Embedding", "Flip", "Same", "Last", "Dropout", "Sequential", "Concat")
]
SUBJECTS = {
    "cells": (CELL_BACKWARDS, cell_is_wrong),
    "recurrent": (["scan_backward", "_choose", "Recurrent.backward"], scan_is_wrong),
    "functions": (["sigmoid_derivative", "tanh_derivative", "bias_gradient"], function_is_wrong),
    "layers": (LAYER_BACKWARDS, layer_is_wrong),
    "losses": ([*SLOW_LOSSES, "_position_weights", "_total"], loss_is_wrong),
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_small_mistake_in_a_backward_is_found(name, record_property):
    functions, is_wrong = SUBJECTS[name]
    module = importlib.import_module(f"course_utils.{name}")
    assert not is_wrong(module, f"{functions[0]}: nothing changed")
    tried, missed = 0, []
    for description, mutant in mutants(module, functions):
        if description in EQUIVALENT:
            continue
        tried += 1
        if not is_wrong(mutant, description):
            missed.append(description)
    record_property(
        "measured", f"mistakes planted in {name}: {tried - len(missed)} of {tried} found"
    )
    print(f"{name}: {tried - len(missed)} of {tried} planted mistakes found")
    assert not missed, "\n".join(missed)
