"""Cut a product out: find it with a segmentation network, refine its edge, and put it on exact white."""

from packshot.cutout.compose import compose_on_white
from packshot.cutout.cut import Uncut, cut_out, cut_out_of, given_cutout, uncut_of
from packshot.cutout.network import Engine, Segmenter, load_segmenter
from packshot.cutout.values import BackdropReport, Cutout, Method, SoftPixels

__all__ = [
    "BackdropReport",
    "Cutout",
    "Engine",
    "Method",
    "Segmenter",
    "SoftPixels",
    "Uncut",
    "compose_on_white",
    "cut_out",
    "cut_out_of",
    "given_cutout",
    "load_segmenter",
    "uncut_of",
]
