"""Run the automated stages on one photograph, in their fixed order, as pure functions.

    master   bytes of an original          -> 16-bit pixels in Adobe RGB, facts, plan, features
    route    features and category         -> who edits it, and why
    edit     master pixels and a network   -> matte, composite on exact white, score with findings
    adopt    a person's finished picture   -> matte, composite on exact white, score with findings
    export   composite and matte           -> verified files, one or two per platform

The command line calls these functions on local files; the tasks call them on objects in storage.
"""

from packshot.pipeline.cutting_out import CutOutFiles, cut_out_photo
from packshot.pipeline.editing import METHODS, Edit, adopt, colour_before, edit, without_held
from packshot.pipeline.exporting import Export, Rendition, export
from packshot.pipeline.mastering import Corrected, Mastered, correct_master, master, read_reference, route

__all__ = [
    "METHODS",
    "Corrected",
    "CutOutFiles",
    "Edit",
    "Export",
    "Mastered",
    "Rendition",
    "adopt",
    "colour_before",
    "correct_master",
    "cut_out_photo",
    "edit",
    "export",
    "master",
    "read_reference",
    "route",
    "without_held",
]
