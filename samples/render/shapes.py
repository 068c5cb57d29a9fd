"""Make meshes of products: bodies of revolution, tubes along a path, boxes with rounded edges.

Lengths are centimetres. x points to the right, y away from the camera, z up; the floor is z = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TURN = 2 * np.pi


class Surface(NamedTuple):
    """A mesh of triangles, on whose surface a print can lie.

    Attributes:
        points: (n, 3), in cm.
        normals: (n, 3), the direction of the surface's outside at each point; unit vectors.
        places: (n, 2), the place in the print that each point shows: (across, up) from its lower left corner, 0 to 1.
        triangles: (m, 3), indices of points, counter-clockwise seen from outside.
    """

    points: Floats
    normals: Floats
    places: Floats
    triangles: NDArray[np.int64]

    def moved(self, *, by: Sequence[float] = (0, 0, 0), turned_deg: float = 0, about: str = "z") -> Surface:
        """Return the surface, first turned about an axis through the origin and then moved.

        Args:
            by: how far it is moved, (x, y, z) in cm.
            turned_deg: angle in degrees, counter-clockwise if one looks against the axis.
            about: the axis: ``x``, ``y`` or ``z``.
        """
        first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[about]
        cos, sin = np.cos(np.radians(turned_deg)), np.sin(np.radians(turned_deg))
        turn = np.eye(3)
        turn[[first, first, second, second], [first, second, first, second]] = cos, -sin, sin, cos
        return self._replace(points=self.points @ turn.T + np.asarray(by), normals=self.normals @ turn.T)

    def scaled(self, factor: float) -> Surface:
        return self._replace(points=self.points * factor)


class Curve(NamedTuple):
    """A curve in a plane, as a row of points. ``first + second`` puts two curves one after the other.

    Attributes:
        points: (n, 2), in cm.
        directions: (n, 2), the direction in which the curve runs at each point; unit vectors.
    """

    points: Floats
    directions: Floats

    def __add__(self, other: Curve) -> Curve:  # type: ignore[override]
        return Curve(np.vstack([self.points, other.points]), np.vstack([self.directions, other.directions]))


def straight(*corners: tuple[float, float, float]) -> Curve:
    """Return a curve of straight lines from corner to corner, with rounded corners.

    Args:
        corners: at least two, each (x, y, radius of its rounding) in cm. With radius 0 the corner is sharp. The radii
            of the first and the last have no effect.
    """
    spots = np.array([corner[:2] for corner in corners], float)
    radii = [corner[2] for corner in corners]
    ways = np.diff(spots, axis=0)
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    points, directions = [spots[0]], [ways[0]]
    for spot, radius, way_in, way_out in zip(spots[1:-1], radii[1:-1], ways[:-1], ways[1:], strict=True):
        angle = np.arctan2(way_in[0] * way_out[1] - way_in[1] * way_out[0], way_in @ way_out)
        if radius == 0:
            points += [spot, spot]
            directions += [way_in, way_out]
            continue
        reach = radius * np.tan(abs(angle) / 2)
        start = spot - reach * way_in
        normal = np.sign(angle) * np.array([-way_in[1], way_in[0]])
        for turned in np.linspace(0, abs(angle), 17):
            inwards = normal * radius
            side = -inwards * np.cos(turned) + way_in * radius * np.sin(turned)
            points.append(start + inwards + side)
            directions.append(way_in * np.cos(turned) + normal * np.sin(turned))
    return Curve(np.array([*points, spots[-1]]), np.array([*directions, ways[-1]]))


def smooth(*knots: tuple[float, float], steps: int = 16) -> Curve:
    """Return a smooth curve through some points (a centripetal Catmull-Rom spline).

    Args:
        knots: the points, at least two, each (x, y) in cm.
        steps: number of points of the curve from one knot to the next.
    """
    points, directions = path(np.array(knots, float), steps=steps)
    return Curve(points, directions)


def path(knots: Floats, *, steps: int = 16, closed: bool = False) -> tuple[Floats, Floats]:
    """Return (points, directions) of a smooth curve through some knots: each an array (n, dimensions).

    The directions are unit vectors in which the curve runs. It is a centripetal Catmull-Rom spline: Barry and Goldman,
    "A recursive evaluation algorithm for a class of Catmull-Rom splines", 1988.

    Args:
        knots: (number of knots, dimensions), at least two, no two neighbours equal.
        steps: number of points of the curve from one knot to the next.
        closed: True if the curve goes on from the last knot to the first. Then its last point is its first one.
    """
    if closed:
        ends = np.vstack([knots[-1:], knots, knots[:2]])
    else:
        ends = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    points = []
    for p0, p1, p2, p3 in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        t0 = 0.0
        t1 = t0 + np.sqrt(np.linalg.norm(p1 - p0))
        t2 = t1 + np.sqrt(np.linalg.norm(p2 - p1))
        t3 = t2 + np.sqrt(np.linalg.norm(p3 - p2))
        t = np.linspace(t1, t2, steps, endpoint=False)[:, None]
        a1 = ((t1 - t) * p0 + (t - t0) * p1) / (t1 - t0)
        a2 = ((t2 - t) * p1 + (t - t1) * p2) / (t2 - t1)
        a3 = ((t3 - t) * p2 + (t - t2) * p3) / (t3 - t2)
        b1 = ((t2 - t) * a1 + (t - t0) * a2) / (t2 - t0)
        b2 = ((t3 - t) * a2 + (t - t1) * a3) / (t3 - t1)
        points.append(((t2 - t) * b1 + (t - t1) * b2) / (t2 - t1))
    line = np.vstack([*points, ends[-2:-1]])
    directions = np.gradient(line, axis=0)
    if closed:
        directions[0] = directions[-1] = line[1] - line[-2]
    return line, directions / np.linalg.norm(directions, axis=1, keepdims=True)


def _woven(points: Floats, normals: Floats, places: Floats) -> Surface:
    """Return the surface over a grid, (rows, columns, ...). Its outside is where the normals point."""
    rows, columns = points.shape[:2]
    at = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = at[:-1, :-1].ravel(), at[:-1, 1:].ravel(), at[1:, 1:].ravel(), at[1:, :-1].ravel()
    triangles = np.vstack([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    flat, out = points.reshape(-1, 3), normals.reshape(-1, 3)
    across = np.cross(flat[triangles[:, 1]] - flat[triangles[:, 0]], flat[triangles[:, 2]] - flat[triangles[:, 0]])
    if (across * out[triangles[:, 0]]).sum() < 0:
        triangles = triangles[:, ::-1]
    triangles = triangles[np.linalg.norm(across, axis=1) > 1e-12]
    return Surface(flat, out, places.reshape(-1, 2), np.ascontiguousarray(triangles))


def turned(
    profile: Curve, *, heights: tuple[float, float] | None = None, sector_deg: tuple[float, float] = (0, 360)
) -> Surface:
    """Return the surface that a profile makes when it turns around the z axis.

    Args:
        profile: the outline; each point is (distance from the axis, z) in cm. If it runs upwards, its outside faces
            away from the axis.
        heights: z of the lower and the upper edge of the print on it; None: the print has the whole height.
        sector_deg: first and last angle of the turn, in degrees. 0 is to the right, 90 is away from the camera, and 270
            is towards the camera.
    """
    radius, z = profile.points.T
    low, high = heights or (float(z.min()), float(z.max()))
    start, end = np.radians(sector_deg)
    angle = np.linspace(start, end, 2 + int(360 * (end - start) / TURN))
    ring = np.stack([np.cos(angle), np.sin(angle)], 1)
    points = np.concatenate(
        [radius[:, None, None] * ring[None], np.broadcast_to(z[:, None, None], (len(z), len(ring), 1))], 2
    )
    out, up = profile.directions[:, 1], -profile.directions[:, 0]
    normals = np.concatenate(
        [out[:, None, None] * ring[None], np.broadcast_to(up[:, None, None], (len(z), len(ring), 1))], 2
    )
    across = np.broadcast_to(np.linspace(0, 1, len(ring))[None], points.shape[:2])
    above = np.broadcast_to(((z - low) / (high - low))[:, None], points.shape[:2])
    return _woven(points, normals, np.stack([across, above], 2))


def tube(
    knots: Sequence[Sequence[float]],
    radius: float | Callable[[Floats], Floats],
    *,
    flat: float | Callable[[Floats], Floats] = 1,
    up: Sequence[float] = (0, 0, 1),
    closed: bool = False,
    rounded: bool = True,
    steps: int = 16,
    sides: int = 48,
) -> Surface:
    """Return a tube along a smooth path through some points.

    Args:
        knots: the points, each (x, y, z) in cm.
        radius: of the tube, in cm; or a function that gets an array with shares of the way along the path, 0 to 1, and
            returns the radius at each.
        flat: width of the tube across `up`, divided by its thickness; 1: it is round. It may be a function like
            `radius`.
        up: a direction that the path never has; in it lies the tube's thickness.
        closed: True if the path goes on from the last point to the first.
        rounded: True if the ends of an open path are rounded off; False: they are holes.
        steps: number of rings of the mesh from one knot to the next.
        sides: number of sides of each ring.
    """
    line, ways = path(np.array(knots, float), steps=steps, closed=closed)
    way = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    share = way / way[-1]
    thick = radius(share) if callable(radius) else np.full(len(share), float(radius))
    wide = thick * (flat(share) if callable(flat) else flat)
    if rounded and not closed:
        cap = np.sin(np.linspace(0, np.pi / 2, 10))[:-1]
        start, end = (
            line[0] + np.outer(cap - 1, ways[0]) * thick[0],
            line[-1] - np.outer(cap - 1, ways[-1])[::-1] * thick[-1],
        )
        round_ = np.sqrt(1 - (1 - cap) ** 2)
        line = np.vstack([start, line, end])
        ways = np.vstack([np.repeat(ways[:1], 9, 0), ways, np.repeat(ways[-1:], 9, 0)])
        share = np.concatenate([np.zeros(9), share, np.ones(9)])
        thick, wide = (
            np.concatenate([one[0] * np.maximum(round_, 1e-3), one, one[-1] * np.maximum(round_[::-1], 1e-3)])
            for one in (thick, wide)
        )
    side = np.cross(np.asarray(up, float), ways)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    over = np.cross(ways, side)
    angle = np.linspace(0, TURN, sides + 1)
    cos, sin = np.cos(angle)[None, :, None], np.sin(angle)[None, :, None]
    rim = side[:, None] * cos * wide[:, None, None] + over[:, None] * sin * thick[:, None, None]
    points = line[:, None] + rim
    along = np.gradient(points, axis=0)
    around = side[:, None] * -sin * wide[:, None, None] + over[:, None] * cos * thick[:, None, None]
    normals = np.cross(around, along)
    length = np.linalg.norm(normals, axis=2, keepdims=True)
    normals = np.where(length > 1e-12, normals / np.maximum(length, 1e-12), rim)
    normals *= np.sign((normals * rim).sum(2, keepdims=True) + 1e-12)
    places = np.stack(
        [np.broadcast_to(angle[None] / TURN, points.shape[:2]), np.broadcast_to(share[:, None], points.shape[:2])], 2
    )
    return _woven(points, normals, places)


def rounded_box(size: Sequence[float], *, rounding: float, bulge: float = 0) -> dict[str, Surface]:
    """Return the faces of a box with rounded edges: name of the face -> its surface.

    The names are ``front``, ``back``, ``left``, ``right``, ``top`` and ``bottom``. The box stands on the floor, around
    the z axis; its front is to the camera (-y). Each face includes half of the rounding at its edges, and can have a
    print of its own.

    Args:
        size: along x, y and z, in cm.
        rounding: radius of the rounded edges, in cm; above 0.
        bulge: by how many cm the middle of each face stands out.
    """
    half = np.array(size, float) / 2
    faces = {
        "front": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
        "back": ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
        "right": ((0, 1, 0), (0, 0, 1), (1, 0, 0)),
        "left": ((0, -1, 0), (0, 0, 1), (-1, 0, 0)),
        "top": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        "bottom": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    }
    made = {}
    for name, (right, up, out) in faces.items():
        axes = np.array([right, up, out], float)
        reach = np.abs(axes) @ half
        steps = [_dense(float(one), rounding) for one in reach[:2]]
        u, v = np.meshgrid(*steps, indexing="xy")
        flat = u[..., None] * axes[0] + v[..., None] * axes[1] + reach[2] * axes[2]
        core = np.clip(flat, -(half - rounding), half - rounding)
        normals = flat - core
        normals /= np.linalg.norm(normals, axis=2, keepdims=True)
        share = np.stack([u / reach[0], v / reach[1]], 2)
        hump = np.prod(np.cos(share * np.pi / 2), axis=2)[..., None]
        points = core + rounding * normals + bulge * hump * axes[2] + [0, 0, half[2]]
        if bulge:
            slope = bulge * np.pi / 2 / reach[:2]
            for axis in (0, 1):
                other = np.cos(share[..., 1 - axis] * np.pi / 2)
                tilt = slope[axis] * np.sin(share[..., axis] * np.pi / 2) * other * (normals @ axes[2]) ** 4
                normals = normals + tilt[..., None] * axes[axis]
            normals /= np.linalg.norm(normals, axis=2, keepdims=True)
        made[name] = _woven(points, normals, (share + 1) / 2)
    return made


def _dense(reach: float, rounding: float) -> Floats:
    """Return places from -reach to reach, close together at the rounded edges (by tangents, so that arcs are even)."""
    arc = rounding * np.tan(np.linspace(0, np.pi / 4, 9))
    inner = np.linspace(-(reach - rounding), reach - rounding, 33)
    return np.concatenate([-(reach - rounding) - arc[:0:-1], inner, reach - rounding + arc[1:]])
