"""Define the types of the flows' parameters, with labels and checks for the forms in Prefect's UI."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue

from packshot.naming import MAX_NAME_LENGTH, NAME_PATTERN


def shown(title: str, description: str) -> dict[str, JsonValue]:
    """Return ``{"title": ..., "description": ...}``, to be passed as `json_schema_extra` of a Pydantic field.

    Prefect's forms show these two texts for a parameter. They ignore a field's own title and description.

    Args:
        title: the label of the parameter in the form.
        description: the text below it.
    """
    return {"title": title, "description": description}


ClientName = Annotated[
    str,
    Field(
        pattern=NAME_PATTERN,
        max_length=MAX_NAME_LENGTH,
        json_schema_extra=shown("Client", "The client's folder below inbox/, such as 'demo'"),
    ),
]
BatchName = Annotated[
    str,
    Field(
        pattern=NAME_PATTERN,
        max_length=MAX_NAME_LENGTH,
        json_schema_extra=shown("Batch", "The batch's folder inside the client's, such as 'spring-24'"),
    ),
]
ShotName = Annotated[
    str,
    Field(
        pattern=NAME_PATTERN,
        max_length=MAX_NAME_LENGTH,
        json_schema_extra=shown("Shot", "The shot's name as the batch table shows it, such as 'KTL301_MAIN'"),
    ),
]
Reason = Annotated[
    str, Field(min_length=3, json_schema_extra=shown("Reason", "The reason; the shot's record keeps it"))
]
PersonName = Annotated[
    str,
    Field(min_length=2, json_schema_extra=shown("Your name", "Who asks for it; the shot's record keeps it")),
]
