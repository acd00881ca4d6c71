"""Optimisers with one fault each, written from its description; and right ones beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer


class Players(Optimizer):
    """Two groups, one of which may ascend; a double has its own ``move(evaluate)``."""

    def __init__(self, groups: Any, lr: float, **options: Any) -> None:
        super().__init__(groups, {"lr": lr, "maximize": False, **options})

    def each(self) -> Any:
        for group in self.param_groups:
            for p in group["params"]:
                yield group, p, (-p.grad if group["maximize"] else p.grad)

    @property
    def tensors(self) -> list[Any]:
        return [p for group in self.param_groups for p in group["params"]]

    @torch.no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:
        def evaluate() -> Any:
            with torch.enable_grad():
                return closure()

        return self.move(evaluate)


class Optimistic(Players):
    """z ← z − 2γ F(z) + γ F(z₋); the first F(z₋) is F(z⁰), or, wrongly, 0."""

    zero_first = False

    def move(self, evaluate: Callable[[], Any]) -> Any:
        loss = evaluate()
        for group, p, g in self.each():
            first = torch.zeros_like(g) if self.zero_first else g.clone()
            past = self.state[p].get("past", first)
            p.sub_(2 * group["lr"] * g - group["lr"] * past)
            self.state[p]["past"] = g.clone()
        return loss


class OptimisticFromZero(Optimistic):
    zero_first = True


class ExtraGradient(Players):
    """z̄ = z − γ F(z), and z⁺ = z − γ F(z̄); or, wrongly, z̄ − γ F(z̄)."""

    way_back = True

    def move(self, evaluate: Callable[[], Any]) -> Any:
        loss = evaluate()
        kept = [p.clone() for p in self.tensors]
        for group, p, g in self.each():
            p.sub_(group["lr"] * g)
        evaluate()
        for (group, p, g), z in zip(self.each(), kept, strict=True):
            p.copy_((z if self.way_back else p) - group["lr"] * g)
        return loss


class ExtraGradientFromLookAhead(ExtraGradient):
    way_back = False


class Lookahead:
    """Over SGD with momentum: every τ steps the parameters are interpolated with the slow ones.

    The momentum is left alone, or pulled back as the parameters are: λ m + (1 − λ) m_slow. Where
    m_slow is kept without a copy it is the tensor that SGD goes on writing to.
    """

    def __init__(self, base: Any, lam: float, tau: int, pullback: str = "") -> None:
        self.base, self.lam, self.tau, self.pullback = base, lam, tau, pullback
        self.param_groups = base.param_groups
        self.count = 0
        self.tensors = [p for group in base.param_groups for p in group["params"]]
        self.slow = [p.detach().clone() for p in self.tensors]
        self.slow_momentum = [torch.zeros_like(p) for p in self.slow]

    def step(self, closure: Callable[[], Any]) -> Any:
        loss = self.base.step(closure)
        self.count += 1
        if self.count % self.tau == 0:
            with torch.no_grad():
                for i, p in enumerate(self.tensors):
                    p.mul_(self.lam).add_(self.slow[i], alpha=1 - self.lam)
                    self.slow[i].copy_(p)
                    if self.pullback:
                        m = self.base.state[p]["momentum_buffer"]
                        m.mul_(self.lam).add_(self.slow_momentum[i], alpha=1 - self.lam)
                        self.slow_momentum[i] = m if self.pullback == "aliased" else m.clone()
        return loss


class DouglasRachford(Players):
    """x = J_{γF} z, y = J(2x − z), z ← z + λ(y − x); the parameters are x or, wrongly, z."""

    def __init__(self, groups: Any, project: Any, lr: float, lam: float, governing: bool) -> None:
        super().__init__(groups, lr, lam=lam)
        self.project, self.governing = project, governing
        self.z = [p.detach().clone() for p in self.tensors]

    def move(self, evaluate: Callable[[], Any]) -> Any:
        lr, lam = self.param_groups[0]["lr"], self.param_groups[0]["lam"]
        loss = None
        for p, z in zip(self.tensors, self.z, strict=True):
            p.copy_(z)
        for _ in range(32):  # w ↦ z − γ F w contracts by γL
            loss = evaluate()
            for (group, p, g), z in zip(self.each(), self.z, strict=True):
                p.copy_(z - group["lr"] * g)
        y = self.project([2 * p - z for p, z in zip(self.tensors, self.z, strict=True)], lr)
        for p, z, after in zip(self.tensors, self.z, y, strict=True):
            z.add_(lam * (after - p))
            if self.governing:
                p.copy_(z)
        return loss


def optimistic(groups):
    return Optimistic(groups, 0.1)


def optimistic_from_zero(groups):
    return OptimisticFromZero(groups, 0.1)


def extragradient(groups):
    return ExtraGradient(groups, 0.2)


def extragradient_from_look_ahead(groups):
    return ExtraGradientFromLookAhead(groups, 0.2)


def lookahead(groups):
    return Lookahead(torch.optim.SGD(groups, 0.05, momentum=0.6), lam=0.7, tau=4)


def lookahead_aliased(groups):
    return Lookahead(torch.optim.SGD(groups, 0.05, momentum=0.6), 0.7, 4, pullback="aliased")


def lookahead_pulled_back(groups):
    return Lookahead(torch.optim.SGD(groups, 0.05, momentum=0.6), 0.7, 4, pullback="copied")


def douglas_rachford(groups, project):
    return DouglasRachford(groups, project, 0.3, 0.5, governing=False)


def douglas_rachford_governing(groups, project):
    return DouglasRachford(groups, project, 0.3, 0.5, governing=True)


class Past(Players):
    """z̄ = z − γ F z̄₋, z⁺ = z − γ F z̄, with one gradient a step; the parameters end at z."""

    def move(self, evaluate: Callable[[], Any]) -> Any:
        kept = [p.clone() for p in self.tensors]
        for group in self.param_groups:
            for p in group["params"]:
                if "past" in self.state[p]:
                    p.sub_(group["lr"] * self.state[p]["past"])
        loss = evaluate()
        for (group, p, g), z in zip(self.each(), kept, strict=True):
            p.copy_(z - group["lr"] * g)
            self.state[p]["past"] = g.clone()
        return loss


class Anchored(Players):
    """z⁺ = β z⁰ + (1 − β)(z − γ F z), β = 1/(k + 2); z⁰ is kept, wrongly without a copy."""

    def __init__(self, groups: Any, lr: float, copies: bool = True, shift: int = 2) -> None:
        super().__init__(groups, lr)
        self.shift, self.k = shift, 0
        self.anchors = [p.detach().clone() if copies else p.detach() for p in self.tensors]

    def move(self, evaluate: Callable[[], Any]) -> Any:
        loss, beta = evaluate(), 1 / (self.k + self.shift)
        for (group, p, g), z0 in zip(self.each(), self.anchors, strict=True):
            p.copy_(beta * z0 + (1 - beta) * (p - group["lr"] * g))
        self.k += 1
        return loss


class OptimisticWithOneMemory(Players):
    """The previous gradient is kept for each group, and not for each of its tensors."""

    def move(self, evaluate: Callable[[], Any]) -> Any:
        loss = evaluate()
        for group, p, g in self.each():
            past = group.get("past", g)
            past = past if past.shape == g.shape else g
            p.sub_(2 * group["lr"] * g - group["lr"] * past)
            group["past"] = g.clone()
        return loss


class OptimisticAgainstTheOther(Players):
    """The ascending player's previous gradient is kept with the sign that it came with."""

    def move(self, evaluate: Callable[[], Any]) -> Any:
        loss = evaluate()
        for group, p, g in self.each():
            past = self.state[p].get("past")
            if past is None:
                past = -g if group["maximize"] else g
            p.sub_(2 * group["lr"] * g - group["lr"] * past)
            self.state[p]["past"] = p.grad.clone()
        return loss


class Single(Players):
    """Gradient steps whose gradient goes through float32."""

    def move(self, evaluate: Callable[[], Any]) -> Any:
        loss = evaluate()
        for group, p, g in self.each():
            p.sub_(group["lr"] * g.float().double())
        return loss


def past(groups):
    return Past(groups, 0.2)


def anchored(groups):
    return Anchored(groups, 0.2)


def anchored_to_itself(groups):
    return Anchored(groups, 0.2, copies=False)


def anchored_early(groups):
    return Anchored(groups, 0.2, shift=1)


def one_memory(groups):
    return OptimisticWithOneMemory(groups, 0.1)


def against_the_other(groups):
    return OptimisticAgainstTheOther(groups, 0.1)


def single(groups):
    return Single(groups, 0.1)


def extragradient_at_half_the_rate(groups):
    for group in groups:
        group["lr"] = 0.2  # what the group says is not what is used
    optimizer = ExtraGradient(groups, 0.2)
    step = optimizer.move

    def move(evaluate):
        for group in optimizer.param_groups:
            group["lr"] = 0.1
        loss = step(evaluate)
        for group in optimizer.param_groups:
            group["lr"] = 0.2
        return loss

    optimizer.move = move
    return optimizer
