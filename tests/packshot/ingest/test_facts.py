import pytest
from hypothesis import given
from hypothesis import strategies as st

from packshot.gtin import checked_gtin
from packshot.ingest.facts import doubtful_facts, gather_facts
from packshot.ingest.metadata import Metadata
from packshot.specs.models import Client

CLIENT = Client(
    name="acme",
    title="Acme",
    platforms=("shopify",),
    file_name_pattern=r"(?P<sku>[A-Z]{3}\d{3})_(?P<view>MAIN|PT\d\d)",
    default_category="home",
)


def gathered(path="ABC123_PT01.jpg", *, row=None, client=CLIENT, metadata=None):
    return gather_facts(path, manifest_row=row or {}, client=client, metadata=metadata or Metadata())


def test_the_manifest_goes_before_the_name_and_the_name_before_the_rest():
    metadata = Metadata(tags={"xmp:product_id": "FROM-XMP"})
    facts = gathered(row={"sku": "M1"}, metadata=metadata)
    assert (facts["sku"].value, facts["sku"].source) == ("M1", "manifest")
    assert (facts["view"].value, facts["view"].source) == ("PT01", "file_name")
    facts = gathered("other.jpg", metadata=metadata)
    assert (facts["sku"].value, facts["sku"].source) == ("FROM-XMP", "xmp")


def test_the_client_default_comes_last():
    facts = gathered("other.jpg")
    assert (facts["category"].value, facts["category"].source) == ("home", "config")
    assert (facts["view"].value, facts["view"].source) == ("MAIN", "config")


def test_the_file_name_stands_in_for_the_sku():
    client = CLIENT.model_copy(update={"file_name_pattern": r"_(?P<view>MAIN|PT\d\d)"})
    facts = gathered("set 1/Blüten vase (2).jpg", client=client)
    assert (facts["sku"].value, facts["sku"].source) == ("Bluten-vase-2", "default")


@pytest.mark.parametrize("group", ["sku", "asin", "gtin", "ean", "upc", "isbn"])
def test_no_sku_is_made_up_where_the_client_s_pattern_should_have_read_one(group):
    client = CLIENT.model_copy(update={"file_name_pattern": rf"^(?P<{group}>\d{{13}})_MAIN$"})
    assert "sku" not in gathered("IMG_0001.jpg", client=client)
    assert gathered("IMG_0001.jpg", client=client, row={"sku": "A1"})["sku"].value == "A1"


@pytest.mark.parametrize(
    "name", [" .jpg", "   .jpg", "-.jpg", "_.JPG", "set 1/(.).jpg", "\u200b.jpg", "\u3000.jpg", "🙂.jpg"]
)
def test_no_sku_is_made_up_from_a_name_without_a_letter_or_digit(name):
    """It was delivered as ``shot-36a9e7f1``."""
    client = CLIENT.model_copy(update={"file_name_pattern": ""})
    assert "sku" not in gathered(name, client=client)
    assert gathered(name, client=client, row={"sku": "A1"})["sku"].value == "A1"


@pytest.mark.parametrize("name", ["1.jpg", "杯.jpg", "Ж.jpg", "-a-.jpg", "٣.jpg"])
def test_one_letter_or_digit_of_any_script_is_a_name(name):
    client = CLIENT.model_copy(update={"file_name_pattern": ""})
    assert gathered(name, client=client)["sku"].source == "default"


def test_the_pattern_reads_words_from_metadata_too():
    facts = gathered("IMG_0001.jpg", metadata=Metadata(keywords=("spring", "XYZ789_MAIN")))
    assert (facts["sku"].value, facts["sku"].source) == ("XYZ789", "xmp")


def test_a_wrong_gtin_is_passed_over_for_a_right_one_and_reported():
    metadata = Metadata(tags={"xmp:product_gtin": "4006381333931"})
    row = {"gtin": "4006381333932", "asin": "short"}
    facts = gathered(row=row, metadata=metadata)
    assert (facts["gtin"].value, facts["gtin"].source) == ("4006381333931", "xmp")
    assert "asin" not in facts
    doubts = doubtful_facts("a.jpg", manifest_row=row, client=CLIENT, metadata=metadata)
    assert [doubt.code for doubt in doubts] == ["asin_wrong", "gtin_wrong"]
    assert "4006381333932" in doubts[1].message


def test_ean_upc_and_isbn_groups_give_the_gtin():
    client = CLIENT.model_copy(update={"file_name_pattern": r"(?P<ean>\d{13})"})
    assert gathered("4006381333931.jpg", client=client)["gtin"].value == "4006381333931"


def test_lists_and_case_are_tidied():
    facts = gathered(row={"platforms": "amazon_main; shopify |ebay", "view": "pt02", "asin": "b0abcdefgh"})
    assert facts["platforms"].value == "amazon_main,shopify,ebay"
    assert facts["view"].value == "PT02"
    assert facts["asin"].value == "B0ABCDEFGH"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4006381333931", "4006381333931"),
        ("4006381333930", ""),
        ("036000291452", "036000291452"),
        ("96385074", "96385074"),
        ("10614141000415", "10614141000415"),
        ("0-306-40615-2", "9780306406157"),
        ("0-306-40615-3", ""),
        ("080442957X", "9780804429573"),
        ("0000000000000", ""),
        ("12345", ""),
        ("", ""),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", ""),
    ],
)
def test_published_numbers_pass_and_wrong_ones_do_not(text, expected):
    assert checked_gtin(text) == expected


@given(st.integers(1, 10**12 - 1), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(body, step):
    stem = f"{body:012d}"
    right = next(f"{stem}{digit}" for digit in range(10) if checked_gtin(f"{stem}{digit}"))
    place = body % 13
    wrong = right[:place] + str((int(right[place]) + step) % 10) + right[place + 1 :]
    assert checked_gtin(wrong) == ""


STUDIO = Metadata(
    tags={
        "xmp:product_code": "KTL-301",
        "xmp:shoot": "Spring 26",
        "xmp:set": "3",
        "xmp:view": "PT02",
        "iptc:job_id": "J-77",
    }
)


def test_a_studio_s_tags_say_product_shoot_and_view():
    facts = gathered("IMG_1.jpg", metadata=STUDIO)
    assert {name: (facts[name].value, facts[name].source) for name in ("sku", "shoot_group", "view")} == {
        "sku": ("KTL-301", "xmp"),
        "shoot_group": ("Spring 26 3", "xmp"),
        "view": ("PT02", "xmp"),
    }


def test_a_client_says_which_tag_means_which_fact():
    client = CLIENT.model_copy(update={"metadata_facts": {"shoot_group": ("iptc:job_id",), "sku": ("xmp:missing",)}})
    facts = gathered("IMG_1.jpg", client=client, metadata=STUDIO)
    assert (facts["shoot_group"].value, facts["shoot_group"].source) == ("J-77", "iptc")
    assert facts["sku"].value == "KTL-301"


def test_a_view_in_words_is_not_guessed_at():
    facts = gathered("IMG_1.jpg", metadata=Metadata(tags={"xmp:view": "front"}))
    assert (facts["view"].value, facts["view"].source) == ("MAIN", "config")
