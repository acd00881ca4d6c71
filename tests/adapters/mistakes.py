"""Factories that make no optimiser, and optimisers that can't be compared."""

import doubles
import torch

NUMBER = 3


def takes_two(groups, lr):
    return torch.optim.SGD(groups, lr)


def takes_nothing():
    return torch.optim.SGD([torch.zeros(2)], 0.1)


def returns_nothing(groups):
    torch.optim.SGD(groups, 0.1)


def raises(groups):
    return torch.optim.SGD(groups, -1.0)


class Idle(doubles.Players):
    def step(self, closure=None):
        return None


def idle(groups):
    return Idle(groups, 0.1)


class Deaf(doubles.Players):
    def each(self):
        return ((group, p, p.grad) for group in self.param_groups for p in group["params"])

    def move(self, evaluate):
        loss = evaluate()
        for group, p, g in self.each():
            p.sub_(group["lr"] * g)
        return loss


def deaf(groups):
    return Deaf(groups, 0.1)


class KnowsNoMaximize(torch.optim.SGD):
    def __init__(self, groups, lr):
        if any("maximize" in group for group in groups):
            raise TypeError("unknown option maximize")
        super().__init__(groups, lr)


def knows_no_maximize(groups):
    return KnowsNoMaximize(groups, 0.1)


class ToNan(Deaf):
    count = 0

    def move(self, evaluate):
        self.count += 1
        loss = super().move(evaluate)
        if self.count == 7:
            self.tensors[0].fill_(float("nan"))
        return loss


def to_nan(groups):
    for group in groups:
        group.pop("maximize", None)
    return ToNan(groups, 0.1)


class ToSingle(Deaf):
    def move(self, evaluate):
        loss = super().move(evaluate)
        for p in self.tensors:
            p.data = p.data.float()
        return loss


def to_single(groups):
    return ToSingle(groups, 0.1)


class Disabled(doubles.Players):
    @torch.no_grad()
    def step(self, closure):
        return closure()


def disabled(groups):
    return Disabled(groups, 0.1)


class Random(doubles.Players):
    def move(self, evaluate):
        loss = evaluate()
        for group, p, g in self.each():
            p.sub_(group["lr"] * g * (1 + 0.1 * torch.rand(1, dtype=p.dtype)))
        return loss


def random(groups):
    return Random(groups, 0.1)


def plain(groups):
    return torch.optim.SGD(groups, 0.1)
