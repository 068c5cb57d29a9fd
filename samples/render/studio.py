"""Render a product in a photographer's studio: backdrop, soft boxes and camera, path-traced by Mitsuba 3.

The backdrop is a sweep: a floor of paper or cloth that bends up into a wall. x points to the right, y away from the
camera, z up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import mitsuba as mi
import numpy as np
import pyoidn
from numpy.typing import NDArray

from samples.render.shapes import Surface

mi.set_variant("llvm_ad_rgb")

Material = Mapping[str, Any]
Colour = tuple[float, float, float]
Part = tuple[Surface, Material]
PASS = 8
"""Samples per pixel at a time: what fits into memory."""


class SoftBox(NamedTuple):
    """A soft box: a lamp with a bright rectangle of cloth in front of it.

    Attributes:
        at: the middle of the cloth, (x, y, z) in cm.
        size: width and height of the cloth, in cm.
        light: how bright the cloth is (radiance), in the same unit as `Set.room`.
        towards: the point that it lights, (x, y, z) in cm.
    """

    at: Sequence[float]
    size: tuple[float, float]
    light: float
    towards: Sequence[float] = (0, 0, 8)


class Set(NamedTuple):
    """Backdrop, lamps and camera: all of a studio but the product.

    Attributes:
        backdrop: reflectance of the backdrop, linear sRGB, each channel 0 to 1.
        camera, looks_at: where the camera is, and the point in the middle of its picture: (x, y, z) in cm.
        field_deg: field of view along the longer side of the picture, in degrees.
        size: of the picture, (width, height) in pixels.
        lamps: the soft boxes.
        room: how bright all is that is neither lamp nor backdrop (radiance).
        wall_at: y at which the floor begins to bend up into the wall, in cm.
    """

    backdrop: Colour
    camera: Sequence[float]
    looks_at: Sequence[float]
    field_deg: float
    size: tuple[int, int]
    lamps: Sequence[SoftBox]
    room: float = 0.25
    wall_at: float = 90


def colour(red: float, green: float, blue: float) -> Material:
    return {"type": "rgb", "value": [red, green, blue]}


def printed(picture: NDArray[np.uint8]) -> Material:
    """Return a print as the colour of a surface: Mitsuba's description of a bitmap, for `glossy`.

    Args:
        picture: (rows, columns, 3), uint8 sRGB.
    """
    return {"type": "bitmap", "bitmap": mi.Bitmap(np.array(picture)), "wrap_mode": "clamp"}


def glossy(base: Material, *, roughness: float, specular: float = 0.5, coat: float = 0, metal: float = 0) -> Material:
    """Return Mitsuba's description of a material of its kind "principled": plastic, paper, glaze, lacquer or metal.

    Args:
        base: the colour, from `colour` or `printed`.
        roughness: 0 for a mirror to 1 for a dull surface.
        specular: strength of reflections, 0 to 1.
        coat: strength of a clear lacquer above the colour, 0 to 1.
        metal: 0 for no metal to 1 for metal.
    """
    return {
        "type": "principled",
        "base_color": base,
        "roughness": roughness,
        "specular": specular,
        "clearcoat": coat,
        "clearcoat_gloss": 0.95,
        "metallic": metal,
    }


def _mesh(name: str, surface: Surface, material: Material) -> Any:
    properties = mi.Properties()
    properties["mesh_bsdf"] = mi.load_dict(dict(material))
    mesh = mi.Mesh(
        name,
        len(surface.points),
        len(surface.triangles),
        has_vertex_normals=True,
        has_vertex_texcoords=True,
        props=properties,
    )
    held = mi.traverse(mesh)
    held["vertex_positions"] = mi.Float(surface.points.astype(np.float32).ravel())
    held["vertex_normals"] = mi.Float(surface.normals.astype(np.float32).ravel())
    # A bitmap's first row is its upper one: Mitsuba counts it from 0.
    held["vertex_texcoords"] = mi.Float((surface.places * [1, -1] + [0, 1]).astype(np.float32).ravel())
    held["faces"] = mi.UInt32(surface.triangles.astype(np.uint32).ravel())
    held.update()
    return mesh


def _sweep(wall_at: float) -> Surface:
    """Return the backdrop: a floor that bends up into a wall behind the product."""
    bend, width, height = 70.0, 900.0, 700.0
    angle = np.linspace(0, np.pi / 2, 48)
    y = np.concatenate([[-900], wall_at + bend * np.sin(angle), [wall_at + bend]])
    z = np.concatenate([[0], bend * (1 - np.cos(angle)), [height]])
    lean = np.concatenate([[0], angle, [np.pi / 2]])
    points = np.stack([np.stack([np.full_like(y, x), y, z], 1) for x in (-width, width)], 1)
    normals = np.stack([np.stack([0 * lean, -np.sin(lean), np.cos(lean)], 1)] * 2, 1)
    rows = np.arange(len(y) - 1) * 2
    triangles = np.vstack([np.stack([rows, rows + 1, rows + 3], 1), np.stack([rows, rows + 3, rows + 2], 1)])
    return Surface(points.reshape(-1, 3), normals.reshape(-1, 3), np.zeros((2 * len(y), 2)), triangles)


def photograph(product: Sequence[Part], around: Set, *, samples: int) -> NDArray[np.float32]:
    """Return the light that reaches the camera's sensor: (rows, columns, 3) float32, linear sRGB, not limited to 1.

    Noise of the rendering is removed by Intel's Open Image Denoise. The backdrop away from the product is smooth, so it
    is rendered at half the size.

    Args:
        product: its parts, each as (mesh in cm, material).
        around: backdrop, lamps, camera, and the picture's size.
        samples: light paths per pixel near the product. They are rendered in whole passes of 8 (`PASS`), at least one.
    """
    width, height = around.size
    scene = _scene(product, around)
    scene["integrator"] = {
        "type": "aov",
        "aovs": "albedo:albedo,normal:sh_normal",
        "image": {"type": "path", "max_depth": 8, "rr_depth": 4, "hide_emitters": True},
    }
    backdrop = {"type": "twosided", "bsdf": {"type": "diffuse", "reflectance": colour(*around.backdrop)}}
    scene["sweep"] = _mesh("sweep", _sweep(around.wall_at), backdrop)
    wide = _denoised(scene, (width // 2, height // 2), (0, 0, width // 2, height // 2), samples=PASS)
    wide = cv2.resize(wide, (width, height), interpolation=cv2.INTER_CUBIC)
    left, top, right, bottom = _seen_in(product, around)
    near = _denoised(scene, around.size, (left, top, right, bottom), samples=samples)
    share = np.zeros((bottom - top + 2, right - left + 2), np.uint8)
    share[1:-1, 1:-1] = 1
    inwards = cv2.distanceTransform(share, cv2.DIST_L2, 5)[1:-1, 1:-1]
    share = np.clip(inwards / (0.4 * _margin(around)), 0, 1)[..., None]
    wide[top:bottom, left:right] += share * (near - wide[top:bottom, left:right])
    return wide


def _margin(around: Set) -> float:
    """Return how far around the product the picture is rendered at its full size, pixels."""
    return 0.045 * max(around.size)


def _seen_in(product: Sequence[Part], around: Set) -> tuple[int, int, int, int]:
    """Return the part of the picture with the product and some space: left, top, right, bottom, pixels."""
    points = np.vstack([surface.points for surface, _ in product]) - around.camera
    ahead = np.subtract(around.looks_at, around.camera).astype(float)
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, [0, 0, 1])
    right /= np.linalg.norm(right)
    size = np.array(around.size)
    focal = max(around.size) / 2 / np.tan(np.radians(around.field_deg) / 2)
    flat = (
        np.stack([points @ right, points @ -np.cross(right, ahead)], 1) * focal / (points @ ahead)[:, None] + size / 2
    )
    low, high = flat.min(axis=0) - _margin(around), flat.max(axis=0) + _margin(around)
    return (*np.maximum(np.floor(low), 0).astype(int).tolist(), *np.minimum(np.ceil(high), size).astype(int).tolist())


def _denoised(
    scene: dict[str, Any], size: tuple[int, int], window: tuple[int, int, int, int], *, samples: int
) -> NDArray[np.float32]:
    mean = _rendered(scene, size, window, channels=10, samples=samples)
    light, albedo, normal = (np.ascontiguousarray(mean[..., at : at + 3]) for at in (0, 4, 7))
    return np.array(pyoidn.denoise(light, albedo=np.clip(albedo, 0, 1), normal=normal, hdr=True), np.float32)


def _scene(product: Sequence[Part], around: Set) -> dict[str, Any]:
    """Return Mitsuba's description of camera, lamps and product."""
    look = mi.ScalarTransform4f().look_at
    scene: dict[str, Any] = {
        "type": "scene",
        "sensor": {
            "type": "perspective",
            "fov": around.field_deg,
            "fov_axis": "larger",
            "to_world": look(origin=list(around.camera), target=list(around.looks_at), up=[0, 0, 1]),
        },
        "room": {"type": "constant", "radiance": around.room},
    }  # fmt: skip
    for number, lamp in enumerate(around.lamps):
        stretch = mi.ScalarTransform4f().scale([lamp.size[0] / 2, lamp.size[1] / 2, 1])
        scene[f"lamp{number}"] = {
            "type": "rectangle",
            "to_world": look(origin=list(lamp.at), target=list(lamp.towards), up=[0, 0.01, 1]) @ stretch,
            "emitter": {"type": "area", "radiance": lamp.light},
        }
    for number, (surface, material) in enumerate(product):
        scene[f"part{number}"] = _mesh(f"part{number}", surface, material)
    return scene


def _rendered(
    scene: dict[str, Any], size: tuple[int, int], window: tuple[int, int, int, int], *, channels: int, samples: int
) -> NDArray[np.float32]:
    """Return a window of the picture, (rows, columns, channels): the mean of its passes."""
    left, top, right, bottom = window
    film = {
        "type": "hdrfilm",
        "pixel_format": "rgba",
        "rfilter": {"type": "box"},
        "width": size[0],
        "height": size[1],
        "crop_offset_x": left,
        "crop_offset_y": top,
        "crop_width": right - left,
        "crop_height": bottom - top,
    }
    loaded = mi.load_dict({**scene, "sensor": {**scene["sensor"], "film": film}})
    total = np.zeros((bottom - top, right - left, channels))
    rounds = max(1, samples // PASS)
    for seed in range(rounds):
        total += np.array(mi.render(loaded, spp=PASS, seed=seed))
    return np.ascontiguousarray(total / rounds, np.float32)
