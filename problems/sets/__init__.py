"""Sets and regularisers: resolvents of normal cones and of subdifferentials, by name."""

from opcheck_problems.sets.affine import (
    affine_subspace,
    half_space,
    hyperplane,
    slab,
    whole_space,
)
from opcheck_problems.sets.bounded import (
    ball,
    box,
    ellipsoid,
    l1_ball,
    linf_ball,
    simplex,
)
from opcheck_problems.sets.combined import (
    conjugate,
    product,
    simplices,
)
from opcheck_problems.sets.cones import (
    exponential_cone,
    orthant,
    second_order_cone,
)
from opcheck_problems.sets.losses import (
    entropy,
    hinge,
    huber,
    log_barrier,
    pinball,
    quadratic,
    squared_l2,
)
from opcheck_problems.sets.norms import (
    elastic_net,
    group_l2,
    l1,
    l2,
    largest_entry,
    linf,
    total_variation,
)
from opcheck_problems.sets.polyhedra import (
    box_half_space,
    box_hyperplane,
    capped_simplex,
    monotone_cone,
    polyhedron,
)
from opcheck_problems.sets.spectral import (
    nuclear_norm,
    psd_cone,
    spectral_ball,
    spectraplex,
)

__all__ = [
    "affine_subspace",
    "ball",
    "box",
    "box_half_space",
    "box_hyperplane",
    "capped_simplex",
    "conjugate",
    "elastic_net",
    "ellipsoid",
    "entropy",
    "exponential_cone",
    "group_l2",
    "half_space",
    "hinge",
    "huber",
    "hyperplane",
    "l1",
    "l1_ball",
    "l2",
    "largest_entry",
    "linf",
    "linf_ball",
    "log_barrier",
    "monotone_cone",
    "nuclear_norm",
    "orthant",
    "pinball",
    "polyhedron",
    "product",
    "psd_cone",
    "quadratic",
    "second_order_cone",
    "simplex",
    "simplices",
    "slab",
    "spectral_ball",
    "spectraplex",
    "squared_l2",
    "total_variation",
    "whole_space",
]
