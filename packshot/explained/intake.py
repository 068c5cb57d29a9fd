"""Explain the findings about a batch, its files, their paths and their light: for each code, what to do."""

from __future__ import annotations

from packshot.explained.meaning import Group, Meaning

THE_BATCH_AND_ITS_MANIFEST = Group(
    "The batch and its manifest",
    {
        "manifest_unreadable": Meaning(
            "The manifest could not be read. File names and metadata are used instead. Save it as CSV in UTF-8 "
            "and send the batch again under another name.",
            status="failed",
        ),
        "manifest_columns_unknown": Meaning(
            "The manifest has columns that Packshot does not know. Known columns: `file`, `sku`, `asin`, "
            "`gtin`, `category`, `view`, `shoot_group`, `platforms`, `reference`, `services`, `notes`. Rename "
            "the columns if they were meant to be read.",
            status="warning",
        ),
        "manifest_lines_broken": Meaning(
            "Lines with more values than there are columns were skipped. Quote values that hold the separator.",
            status="warning",
        ),
        "manifest_encoding_guessed": Meaning(
            "The manifest is in an old encoding (Mac Roman, DOS code page 850, Windows-1250, Windows-1251), known by "
            "its words alone. Look whether its names are right; save it as UTF-8.",
            status="warning",
        ),
        "manifest_formulas_open": Meaning(
            "Cells of the workbook hold formulas that no program has computed; they count as empty. Open the workbook "
            "in Excel, save it, and send it again.",
            status="warning",
        ),
        "manifest_sheets_left_out": Meaning(
            "The workbook has several sheets with the manifest's columns; only one was read. Bring all rows into one "
            "sheet.",
            status="warning",
        ),
        "manifest_row_without_file": Meaning("A row has no value in the column `file`. Fill it in.", status="warning"),
        "manifest_row_repeated": Meaning(
            "A file has two rows with different values; the first counts. Remove one.",
            status="warning",
        ),
        "gtin_damaged": Meaning(
            "A spreadsheet rounded the number (`4.00638E+12`) or removed its leading zeros. It was not used. Format "
            "the "
            "column as text and export it again.",
            status="warning",
        ),
        "sku_damaged": Meaning(
            "A spreadsheet rounded the SKU (`1.23457E+11`), could not find it (`#N/A`), or wrote a formula in its "
            "place; it was not used. Format the column as text and export it again.",
            status="warning",
        ),
        "client_unknown": Meaning(
            "The client has no style guide; the default one is used. Write `configs/clients/<name>.yaml`, or correct "
            "the name of the inbox folder.",
            status="warning",
        ),
        "table_not_taken": Meaning(
            "There is a table among the photographs, and it is not the manifest. Nobody reads it. If it should be the "
            "manifest, ask for it as `manifest.csv` or `manifest.xlsx` at the top of the batch.",
            status="warning",
        ),
        "misnamed_file": Meaning(
            "The file was left out: its name leads out of the folder or has invisible characters. Ask the "
            "client to rename it.",
            status="warning",
        ),
        "row_without_file": Meaning(
            "The manifest names a file that was not uploaded. Ask the client for it.",
            status="warning",
        ),
        "file_without_row": Meaning(
            "An uploaded photograph has no row in the manifest. Add the row, unless the file name says enough.",
            status="warning",
        ),
        "names_alike": Meaning(
            "Different file names become the same SKU once they are written in plain letters, such as é and e. They "
            "count as one product. If they are several, give each its SKU in the manifest.",
            status="warning",
        ),
        "reference_is_shot": Meaning(
            "The manifest names a photograph as a colour reference and also has a row for it. It is edited as a shot "
            "and not measured as a reference. Take its row out of the manifest, or send the reference as a file of "
            "its own.",
            status="warning",
        ),
        "duplicate": Meaning(
            "Several files have the same bytes. Each is processed. Ask the client which one is meant.",
            status="warning",
        ),
        "gtin_wrong": Meaning(
            "The identifier is not a valid GTIN or ASIN and was not used. Correct it at its source; the message "
            "names it.",
            status="warning",
        ),
        "asin_wrong": Meaning(
            "The identifier is not a valid GTIN or ASIN and was not used. Correct it at its source; the message "
            "names it.",
            status="warning",
        ),
        "category_unknown": Meaning(
            "The category is not known; the message suggests the nearest one. The shot was treated as one "
            "without a category. Correct the word at its source and send the shot again, or add it to a "
            "category's `synonyms` (configs.md).",
            status="warning",
        ),
    },
)
THE_CLIENT_FILE = Group(
    "The client's file",
    {
        "profile_assumed": Meaning(
            "The file does not state its colour space for certain. The message says what was assumed. Ask for "
            "files with a colour profile if colours matter.",
        ),
        "white_balance_assumed": Meaning(
            "The camera RAW file has no white balance, so it was developed for daylight. Set the camera's white "
            "balance with a grey card, or ask for a developed TIFF.",
        ),
        "profile_broken": Meaning(
            "The embedded profile cannot be used; the message says what was used instead. Ask for the file "
            "again if its colours look wrong.",
        ),
        "cmyk_profile_missing": Meaning(
            "The CMYK file has no usable profile, so its colours are a guess by a simple formula. Ask for RGB, "
            "or for the profile.",
        ),
        "input_out_of_gamut": Meaning(
            "Some colours lie outside the working space, Adobe RGB (1998), and were clipped. If they are in the "
            "product, ask for the photograph in a smaller colour space, converted by a person. Else do nothing.",
            measured="share of the picture, ratio",
        ),
        "grey_photograph": Meaning(
            "The photograph has no colours: it was saved in shades of grey. Nothing in it says whether the product is "
            "grey too, so a person decides. If it is not grey, ask for the photograph in colour.",
            gate=True,
        ),
        "transparency": Meaning(
            "The file has transparent parts; they were laid on white. Ask for the photograph without "
            "transparency if it is needed.",
            measured="transparent share, ratio",
        ),
        "first_frame_only": Meaning(
            "The file contains several pictures. One was used; the message says which. Ask for the others as "
            "separate files.",
            measured="number of pictures",
        ),
        "gain_map_left_out": Meaning(
            "The file also holds a gain map for HDR screens; its picture for usual screens was taken. Nothing to do.",
        ),
        "lens_not_corrected": Meaning(
            "The DNG asks for corrections of its lens: distortion, or corners that are too dark. They were not made. "
            "If they matter, ask for a TIFF of 16 bits that is developed with them.",
        ),
        "damage_not_looked_for": Meaning(
            "The JPEG or camera RAW was not checked for damage, or not for small damage; the message has the reason. "
            "Look at the whole picture.",
        ),
        "metadata_damaged": Meaning(
            "The picture is whole, but other parts of the file (colour profile, EXIF, texts) are damaged and "
            "were left out. Ask for the file again if its colours or its rights matter.",
            measured="number of parts",
        ),
        "file_contradictory": Meaning(
            "The file says two things about its picture, such as two orientations; the message says what was "
            "followed. A person looks whether it is the right picture and upright; if not, ask for the file again, "
            "saved by one program.",
            gate=True,
        ),
        "inks_left_out": Meaning(
            "The Photoshop document is a duotone. Its grey picture was taken, because Adobe does not publish how "
            "the inks are stored. A person looks; if the colours matter, ask for the document in RGB.",
            gate=True,
        ),
        "seam_of_lost_data": Meaning(
            "The JPEG lost data: from the place in the message on, the picture is too light, too dark or tinted, or "
            "shifted. A person looks at it; if they see it, ask for the file again.",
            measured="step, levels of 255",
            gate=True,
        ),
        "codes_out_of_step": Meaning(
            "The JPEG or the camera RAW lost data, or bytes of it were changed: near the place in the message, parts "
            "of a JPEG may be too coarse, or wrong in detail; in a camera RAW, the message names the row from which on "
            "values may be wrong. A person looks at it; if they see it, ask for the file again.",
            measured="number of places",
            gate=True,
        ),
        "scans_missing": Meaning(
            "The JPEG was written in several passes, each of which makes it finer, and some are not there: an upload "
            "was cut off and closed again, or bytes were lost. The picture is coarse. Ask for the file again.",
            measured="values of a block",
            gate=True,
        ),
        "decoder_warned": Meaning(
            "The decoder read the file, but something in it breaks the format's rules; the message has its words. "
            "A person compares the picture with what the client sees.",
            gate=True,
        ),
        "extra_channels_ignored": Meaning(
            "Channels that are neither colour nor transparency were left out. Nothing to do.",
            measured="number of channels",
        ),
    },
)
PATHS_IN_A_FILE = Group(
    "Paths in a file",
    {
        "path_damaged": Meaning(
            "A path, or the list of them, is damaged; the message says what is missing. The undamaged paths were "
            "used. Save the file again and look at the cut-out.",
            status="failed",
            gate=True,
        ),
        "clipping_path_missing": Meaning(
            "The file names a clipping path that it does not contain. Mark the right path as the clipping path, "
            "or state its name in the client's config.",
            status="warning",
            gate=False,
        ),
        "clipping_path_assumed": Meaning(
            "The file's only path was taken for its clipping path, though the file does not name one. It may be a "
            "guide. Mark the right path as the clipping path, or state its name in the client's config.",
            status="warning",
            gate=False,
        ),
        "clipping_path_unclear": Meaning(
            "The file contains several paths and none is marked as the clipping path, so none was used. Mark "
            "it, or state its name in the client's config.",
            status="warning",
            gate=False,
        ),
        "mattes_differ": Meaning(
            "The file contains several cut-outs (transparency, layer mask, path, channel) that differ. The "
            "message says which was used. Check that it is the right one; delete the others.",
            status="warning",
            gate=False,
        ),
        "layers_damaged": Meaning(
            "Not all layers of a Photoshop document could be read: a mask or a layer is damaged. Save it again.",
            status="failed",
            gate=True,
        ),
        "channels_damaged": Meaning(
            "Not all saved channels could be read: one, or the list of their names, is damaged. Save the file again.",
            status="failed",
            gate=True,
        ),
    },
)
THE_LIGHT_OF_ITS_GROUP = Group(
    "The light of its group",
    {
        "light_outlier": Meaning(
            "A lamp failed, the white balance moved, or the frame shows no backdrop. Photograph it again, or "
            "let a person decide.",
            measured="difference between its backdrop and its group's",
            unit="delta E 2000",
            status="failed",
            gate=True,
        ),
        "light_changed": Meaning(
            "Several shots have another light although the camera's settings are the same. They are treated as "
            "a set-up of their own and evened where that is allowed.",
            measured="difference between the two backdrops",
            unit="delta E 2000",
            status="warning",
            gate=False,
        ),
        "group_not_evened": Meaning(
            "The set-up differs so much from the others of its series that it was taken for another backdrop. "
            "Its colours were not changed.",
            measured="difference between the two backdrops",
            unit="delta E 2000",
            status="skipped",
            gate=False,
        ),
        "target_fit": Meaning(
            "Says how well the correction fits the colour target. A warning: the correction was refused, so "
            "colours are as photographed.",
            measured="colour error that is left on patches that the correction did not use",
            unit="delta E 2000",
            status="passed, warning",
            gate=False,
        ),
        "target_in_picture": Meaning(
            "The picture shows a colour target. The target is used for the whole group; the shot goes to a person.",
            status="failed",
            gate=True,
        ),
        "reference_replaced": Meaning(
            "The client replaced or deleted the reference while the batch was being processed. Start the batch again, "
            "so that it lists the new file.",
            status="failed",
            gate=True,
        ),
        "reference_unusable": Meaning(
            "The manifest's reference is neither a file of the batch nor a colour, or it is a shot of its own. Correct "
            "it in the manifest.",
            status="warning",
            gate=False,
        ),
        "correction_clips": Meaning(
            "The group's colour correction clips some colours. Look at the highlights.",
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
