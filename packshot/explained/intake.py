"""Codes of findings about a batch, its files, their paths and their light."""

from __future__ import annotations

from packshot.explained.meaning import Group, Meaning

THE_BATCH_AND_ITS_MANIFEST = Group(
    "The batch and its manifest",
    {
        "manifest_unreadable": Meaning(
            "The whole manifest was left aside; file names and metadata are used instead. Have it saved as CSV "
            "in UTF-8 and send the batch again under another name.",
            status="failed",
        ),
        "manifest_columns_unknown": Meaning(
            "Columns that mean nothing to the line. Columns that do: `file`, `sku`, `asin`, `gtin`, `category`, "
            "`view`, `shoot_group`, `platforms`, `reference`, `services`, `notes`. Rename them, if they were "
            "meant.",
            status="warning",
        ),
        "manifest_lines_broken": Meaning(
            "Lines with more values than there are columns were skipped. Quote values that hold the separator.",
            status="warning",
        ),
        "manifest_row_without_file": Meaning("A row has no value in the column `file`. Fill it in.", status="warning"),
        "manifest_row_repeated": Meaning(
            "A file has two rows with different values; the first counts. Remove one.",
            status="warning",
        ),
        "gtin_damaged": Meaning(
            "A spreadsheet rounded the number (`4.00638E+12`); it was not used. Format the column as text and "
            "export it again.",
            status="warning",
        ),
        "misnamed_file": Meaning(
            "A file's name could lead elsewhere or cannot be seen; the file was left out. Ask the client to rename it.",
            status="warning",
        ),
        "row_without_file": Meaning(
            "The manifest names a file that was not uploaded. Ask the client for it.",
            status="warning",
        ),
        "file_without_row": Meaning(
            "An uploaded photograph has no row in the manifest. Nothing, if its name says enough.",
            status="warning",
        ),
        "duplicate": Meaning(
            "The same bytes under several names; each is processed. Ask the client which one is meant.",
            status="warning",
        ),
        "gtin_wrong": Meaning(
            "What manifest, file name or metadata give is no GTIN or ASIN; it was not used. Correct it at its "
            "source, which the message names.",
            status="warning",
        ),
        "asin_wrong": Meaning(
            "What manifest, file name or metadata give is no GTIN or ASIN; it was not used. Correct it at its "
            "source, which the message names.",
            status="warning",
        ),
        "category_unknown": Meaning(
            "What manifest, file name or metadata give as category is none; the message says which was probably "
            "meant. The shot was treated as one of unknown category. Correct the word at its source and send "
            "the shot again, or add it to a category's `synonyms` (configs.md).",
            status="warning",
        ),
    },
)
THE_CLIENT_FILE = Group(
    "The client's file",
    {
        "profile_assumed": Meaning(
            "Nothing in the file says for certain what its colours mean; the message says what was assumed. Ask "
            "for files with a profile if colours matter.",
        ),
        "white_balance_assumed": Meaning(
            "A camera RAW without a noted white balance was developed for daylight. Have the set-up "
            "grey-balanced, or ask for a developed TIFF.",
        ),
        "profile_broken": Meaning(
            "The embedded profile cannot be used; the message says what was used instead. Ask for the file "
            "again if its colours look wrong.",
        ),
        "cmyk_profile_missing": Meaning(
            "CMYK without a usable profile: inks were mixed by a plain formula, colours are a guess. Ask for "
            "RGB, or for the profile.",
        ),
        "input_out_of_gamut": Meaning(
            "Colours that the working space, Adobe RGB (1998), cannot hold were clipped. Nothing, unless the "
            "product itself is concerned: then ask for the photograph in a smaller space, mapped by a person.",
            measured="share of the picture, ratio",
        ),
        "transparency": Meaning(
            "It was laid on white. Nothing, or ask for the photograph itself.",
            measured="transparent share, ratio",
        ),
        "first_frame_only": Meaning(
            "The file holds several; the message says which was taken: the first, or the one that the file calls its "
            "main picture. Have the others sent as files of their own.",
            measured="number of pictures",
        ),
        "gain_map_left_out": Meaning(
            "The file also holds a gain map for HDR screens; its picture for usual screens was taken. Nothing to do.",
        ),
        "damage_not_looked_for": Meaning(
            "An unusual JPEG: whether bytes of its picture are damaged was not checked. Look at the whole picture.",
        ),
        "metadata_damaged": Meaning(
            "Parts of the file beside its picture (colour, EXIF, texts) are damaged or out of place; they were "
            "left out. The picture is whole. Ask for the file again if its colours or its rights matter.",
            measured="number of parts",
        ),
        "extra_channels_ignored": Meaning(
            "Channels that are neither colour nor transparency were left out. Nothing.",
            measured="number of channels",
        ),
    },
)
PATHS_IN_A_FILE = Group(
    "Paths in a file",
    {
        "path_damaged": Meaning(
            "A path, or the list it stands in, cannot be read whole; the message says what is missing. What is "
            "whole was used. Save the file again; look at the matte.",
        ),
        "clipping_path_missing": Meaning(
            "The file names a clipping path that it does not hold. Mark the right path as the clipping path, or "
            "state its name in the client's config.",
        ),
        "clipping_path_unclear": Meaning(
            "The file holds several paths and marks none as its clipping path, so none was used. Mark it, or "
            "state its name in the client's config.",
        ),
        "mattes_differ": Meaning(
            "The file holds several mattes (transparency, layer mask, path, channel) that differ; the message "
            "says which was taken. Look whether it is the right one; delete the others.",
        ),
        "layers_damaged": Meaning(
            "Not all layers of a Photoshop document could be read. Save it again; look at the matte.",
        ),
    },
)
THE_LIGHT_OF_ITS_GROUP = Group(
    "The light of its group",
    {
        "light_outlier": Meaning(
            "A lamp failed, the white balance moved, or the frame shows no backdrop. Photograph it again, or "
            "let a person decide.",
            measured="its backdrop from that of its group",
            unit="delta E 2000",
            status="failed",
            gate=True,
        ),
        "light_changed": Meaning(
            "A run of shots has another light although the camera's settings stayed. They are a set-up of their "
            "own, evened where that is allowed.",
            measured="the two backdrops",
            unit="delta E 2000",
            status="warning",
            gate=False,
        ),
        "group_not_evened": Meaning(
            "The set-up differs too much from the one it belongs with: taken for another backdrop.",
            measured="the two backdrops",
            unit="delta E 2000",
            status="skipped",
            gate=False,
        ),
        "target_fit": Meaning(
            "How well the colour target could be corrected. A warning: it was refused, colours are as photographed.",
            measured="what its correction leaves on patches it was not fitted to",
            unit="delta E 2000",
            status="passed, warning",
            gate=False,
        ),
        "target_in_picture": Meaning(
            "A colour target stands in the picture. It serves its group; the shot goes to a person.",
            status="failed",
            gate=True,
        ),
        "reference_unusable": Meaning(
            "What the manifest names as reference is neither a file of the batch nor a colour.",
            status="warning",
            gate=False,
        ),
        "correction_clips": Meaning(
            "The group's correction drives colours to the end of a channel. Look at the highlights.",
            measured="share of the picture",
            unit="share",
            status="warning",
            gate=False,
        ),
    },
)

GROUPS = (
    THE_BATCH_AND_ITS_MANIFEST,
    THE_CLIENT_FILE,
    PATHS_IN_A_FILE,
    THE_LIGHT_OF_ITS_GROUP,
)
