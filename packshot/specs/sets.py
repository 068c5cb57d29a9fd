"""Define ``sets`` of a client's style guide: the views a product must have, and whether they are delivered together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from packshot.specs.handoff import ViewName
from packshot.types import Value

Views = Annotated[tuple[ViewName, ...], Field(min_length=1)]


class ProductSets(Value):
    """Which views a product must have.

    Attributes:
        views: views that each product must have, for example `[MAIN, PT01, PT02]`. Empty (default): none is asked for.
        by_category: name of a category -> the views that its products must have, in place of `views`. For example
            `clothing: [MAIN, PT01, NECK]`.
        deliver: `as_approved` (default): a shot goes out as soon as it is approved. `complete_sets`: a product's shots
            wait until each of its views is approved, or until somebody closes the batch: `packshot batch close`.
    """

    views: tuple[ViewName, ...] = ()
    by_category: Mapping[str, Views] = Field(default_factory=dict)
    deliver: Literal["as_approved", "complete_sets"] = "as_approved"

    @model_validator(mode="after")
    def _waits_for_something(self) -> ProductSets:
        if self.deliver == "complete_sets" and not (self.views or self.by_category):
            raise ValueError("views or by_category where deliver is complete_sets; found neither")
        return self

    @property
    def together(self) -> bool:
        """Whether the shots of a product wait for each other and are delivered together."""
        return self.deliver == "complete_sets"

    def views_of(self, categories: Iterable[str]) -> tuple[str, ...]:
        """Return the views that a product must have, each once; empty if none is asked for.

        Args:
            categories: the categories of the product's shots; empty texts are ignored. If they differ, the views of
                all of them are asked for. Without any category, `views` counts.
        """
        known = [self.by_category.get(one, self.views) for one in categories if one]
        return tuple(dict.fromkeys(view for views in known or [self.views] for view in views))
