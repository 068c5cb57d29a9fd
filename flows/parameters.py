"""The parameters people fill in: what the forms of the UI show and check."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

ClientName = Annotated[
    str,
    Field(
        title="Client", description="The client's folder below inbox/, such as 'demo'", pattern=r"^[A-Za-z0-9][\w.-]*$"
    ),
]
BatchName = Annotated[
    str,
    Field(title="Batch", description="The batch's folder below inbox/<client>/", pattern=r"^[A-Za-z0-9][\w.-]*$"),
]
ShotName = Annotated[
    str,
    Field(title="Shot", description="The shot's name as the batch table shows it, such as 'KTL301_MAIN'", min_length=1),
]
Reason = Annotated[
    str,
    Field(title="Reason", description="Why; it stands in the shot's record", min_length=3),
]
PersonName = Annotated[
    str,
    Field(title="Your name", description="Who asks for it; it stands in the shot's record", min_length=2),
]
