"""fewclicks: our own method, and the default.

A picture becomes a thousand regions. From each click, fifteen distances say how far every region
is: walks over the backbone's features and over the regions' own colours, paths over colour and
edges, unions in merge trees. A small network weighs them, a colour model is fitted to its opinion,
and one min cut draws the outline; a small object is then looked at more closely. See
``docs/methods/fewclicks.md`` for what each part gains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from fewclicks.arrays import BoolMask, FloatMap, RgbImage
from fewclicks.backbones.base import Backbone, Features
from fewclicks.clicks import Click, check_clicks, positives
from fewclicks.errors import InputError, ShapeError
from fewclicks.images.boxes import Box
from fewclicks.images.resizing import shrink_to_longest_side
from fewclicks.methods.base import Prediction, Prepared, check_image
from fewclicks.methods.energy.seeds import keep_clicked
from fewclicks.methods.guidance import Guidance, Reference, is_same_exemplar
from fewclicks.methods.maps import ClickMaps, Levels
from fewclicks.methods.markov.drawing import agreeing, draw_opinion
from fewclicks.methods.markov.evidence import RegionClick
from fewclicks.methods.markov.evidence_network import (
    EvidenceNetwork,
    evidence_file,
    network_for,
)
from fewclicks.methods.markov.exemplar_match import ExemplarMatch, match_exemplar
from fewclicks.methods.markov.fewclicks_config import FewclicksConfig
from fewclicks.methods.markov.kind_objects import changed_at, object_meant, rounded
from fewclicks.methods.markov.levels import offer_levels, unlike_levels
from fewclicks.methods.markov.local_refiner import Looked, corrected_by_one
from fewclicks.methods.markov.reach import OWN_LEVEL, Reach, reach_of
from fewclicks.methods.markov.reference_match import (
    ReferenceMatch,
    SeenReference,
    match_references,
    see_marks,
)
from fewclicks.methods.markov.region_maps import region_maps
from fewclicks.methods.markov.shape_network import SHAPE_FILE, ShapeNetwork, shape_network
from fewclicks.methods.markov.token_walk import MOST_TOKENS, WalkedMaps, walk_over
from fewclicks.methods.markov.view import View, ViewConfig, look_at
from fewclicks.methods.markov.zoom import choose_part
from fewclicks.methods.memo import Memo
from fewclicks.methods.one_thread import on_one_thread

_REMEMBERED_PARTS: Final = 4
_REMEMBERED_REFERENCES: Final = 32  # of about 3 MB
_REGIONS_OF_ONE: Final = 400  # that an object of a kind is looked at in
_STEPS: Final = 16  # of the places along a picture where such a look may begin
_SURER: Final = 1.5  # what both networks hold, in units of what the first may
_CLICK_REACH = 5.0  # path cost over colour


@dataclass(frozen=True, kw_only=True)
class RegionPicture(Prepared):
    """A picture as regions, with what a closer look at a part of it needs.

    Parameters
    ----------
    features
        Tokens of the backbone.
    overview
        The same, but no more than can be compared each with each other.
    walked
        Walks over them; None if the network gives them no weight.
    whole
        The regions of the whole picture.
    matched, kind
        What references and an exemplar say of this picture; None where there is none.
    """

    features: Features
    overview: Features
    walked: WalkedMaps | None
    whole: View
    matched: ReferenceMatch | None = None
    kind: ExemplarMatch | None = None
    _parts: Memo[Box, View] = field(default_factory=lambda: Memo(_REMEMBERED_PARTS))
    _matches: Memo[tuple[str, ...], ReferenceMatch] = field(
        default_factory=lambda: Memo(_REMEMBERED_PARTS)
    )


class Fewclicks:
    """Regions, fifteen distances, a small network, one min cut.

    Parameters
    ----------
    backbone
        Whose features the regions are compared by, besides their colours.
    config
        The default is what the README's figures were measured with.
    network
        The one that comes with the package for this kind of backbone, if left out.
    shapes
        The one that comes with the package, if left out.
    """

    config_type: ClassVar = FewclicksConfig

    def __init__(
        self,
        backbone: Backbone,
        config: FewclicksConfig | None = None,
        network: EvidenceNetwork | None = None,
        shapes: ShapeNetwork | None = None,
    ) -> None:
        self.backbone = backbone
        self.config = config or FewclicksConfig()
        self.network = network or network_for(backbone.name)
        self.shapes = shapes or shape_network()
        own = () if network else (evidence_file(backbone.name),)
        self.weight_files = (*own, SHAPE_FILE) if self.config.shape > 0 else own
        self._seen: Memo[str, SeenReference] = Memo(_REMEMBERED_REFERENCES)

    @on_one_thread
    def prepare(self, image: RgbImage) -> RegionPicture:
        """Find the regions and how they hang together.

        Raises
        ------
        InputError
            If the image is none.
        """
        check_image(image)
        features = self._look(image)
        overview = features.at_most(MOST_TOKENS)
        walked = walk_over(overview) if self.network.weighs_token_walk else None
        box = Box(0, 0, image.shape[1], image.shape[0])
        config = self._view_config(self.config.regions, self.config.longest_side)
        whole = look_at(image, features, box, walked=walked, config=config)
        return RegionPicture(
            image=image, features=features, overview=overview, walked=walked, whole=whole
        )

    @on_one_thread
    def condition(self, prepared: RegionPicture, guidance: Guidance) -> RegionPicture:
        """Bring in references and an exemplar, and keep excluded pixels off the object.

        Raises
        ------
        InputError
            If there is guidance that the method has no use for.
        ShapeError
            If an array is not of the picture's size.
        """
        guidance.check(prepared.shape, takes=("references", "exemplar"))
        config, matched, kind = self.config, None, None
        if guidance.references:
            matched = self._match(prepared, guidance.references)
        if is_same_exemplar(prepared.exemplar, guidance.exemplar):
            kind = prepared.kind
        elif guidance.exemplar is not None:
            kind = match_exemplar(
                guidance.exemplar,
                prepared.overview,
                weight=config.exemplar_likeness,
                doubt=config.exemplar_doubt,
            )
        return replace(
            prepared,
            excluded=guidance.excluded,
            references=guidance.references,
            exemplar=guidance.exemplar,
            matched=matched,
            kind=kind,
        )

    def _match(self, prepared: RegionPicture, references: Sequence[Reference]) -> ReferenceMatch:
        """Compare a picture with references; both are looked at and compared once."""
        checksums = tuple(reference.checksum for reference in references)
        named = dict(zip(checksums, references, strict=True))

        def match(_checksums: tuple[str, ...]) -> ReferenceMatch:
            return match_references(
                [self._see(checksum, named[checksum]) for checksum in checksums],
                prepared.overview,
                likeness_weight=self.config.reference_likeness,
                place_weight=self.config.reference_place,
            )

        return prepared._matches.get(checksums, match)

    def _look(self, image: RgbImage) -> Features:
        return self.backbone.features(shrink_to_longest_side(image, self.config.longest_side))

    def _see(self, checksum: str, reference: Reference) -> SeenReference:
        def see(_checksum: str) -> SeenReference:
            features = self._look(reference.image).at_most(MOST_TOKENS)
            return see_marks(features, positive=reference.positive, negative=reference.negative)

        return self._seen.get(checksum, see)

    @on_one_thread
    def predict(
        self, prepared: RegionPicture, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Prediction:
        """Weigh the evidence of all clicks and of the previous mask, then cut.

        A level of the newest click moves what it turns; later clicks keep to what is near them.

        Raises
        ------
        InputError
            If a click is outside the image.
        ShapeError
            If the previous mask is not of the image's size.
        """
        shape = (prepared.height, prepared.width)
        check_clicks(clicks, height=prepared.height, width=prepared.width)
        before = np.zeros(shape, dtype=bool) if previous is None else previous.mask
        if before.shape != shape:
            raise ShapeError.differs("previous", before.shape, needed=shape, of="the image")
        kind = prepared.kind
        if kind is None and not (positives(clicks) or before.any()):
            return Prediction.from_mask(np.zeros(shape, dtype=bool))
        if previous is not None and not clicks:
            kept = keep_clicked(before, (), prepared.excluded)
            return Prediction(probability=agreeing(previous.probability, kept))
        if kind is not None:
            if not clicks:
                return self._propose(prepared, kind)
            if previous is None:
                previous = self.predict(prepared, clicks[:-1])
            clicks = (*kind.clicks, *clicks)
        if previous is None and _is_settled(clicks):
            previous = self.predict(prepared, clicks[:-1])
        if clicks[-1].level not in (None, OWN_LEVEL):
            reach = self._reach(prepared, clicks, previous)
            return self._at_level(prepared, clicks, previous, reach)
        if kind is not None and previous is not None:
            return self._correct_one(prepared, kind, clicks, previous)
        view = self._view(prepared, clicks, previous)
        opinion = self._opinion(prepared, view, clicks, previous)
        refines = self.config.bulge > 0 or self.config.one_way
        corrects = corrected_by_one(clicks, previous) if refines else None
        probability = self._draw(prepared, view, clicks, opinion, corrects=corrects)
        mask = keep_clicked(probability > 0.5, clicks, prepared.excluded)
        looked = Looked(box=view.box, clicks=len(clicks))
        return Prediction(probability=agreeing(probability, mask), state=looked)

    def _correct_one(
        self,
        prepared: RegionPicture,
        kind: ExemplarMatch,
        clicks: Sequence[Click],
        previous: Prediction,
    ) -> Prediction:
        """Answer a click on one of several objects, or on a new one; the others stay."""
        newest, before, (height, width) = clicks[-1], previous.mask, prepared.shape
        view = prepared.whole
        meant = object_meant(before, newest, reach=kind.depth)
        if meant is not None:
            on_it = [click for click in positives(clicks) if meant[click.y, click.x]]
            box = choose_part(meant, [*on_it, newest], margin=self.config.exemplar_zoom, kept=None)
            box = rounded(box, height=height, width=width, steps=_STEPS)
            view = self._look_closer(prepared, box, regions=_REGIONS_OF_ONE)
        opinion = self._opinion(prepared, view, clicks, previous)
        drawn = self._draw(prepared, view, clicks, opinion, drops=False)
        probability = view.box.paste(view.box.crop(drawn), previous.probability)
        mask = changed_at(newest, before, view.box.paste(view.box.crop(drawn > 0.5), before))
        mask = keep_clicked(mask, clicks, prepared.excluded)
        return Prediction(probability=agreeing(probability, mask))

    def _propose(self, prepared: RegionPicture, kind: ExemplarMatch) -> Prediction:
        """Find the exemplar's kind before any click, the exemplar itself being known."""
        view, bound = prepared.whole, self.config.certainty
        cover = view.regions.superpixels.mean(view.shrink(kind.mask))
        opinion = np.maximum(kind.proposes(view.places), 2 * bound * cover - bound)
        opinion = np.clip(opinion, -bound, bound)
        probability = self._draw(prepared, view, kind.clicks, opinion, drops=False)
        mask = keep_clicked((probability > 0.5) | kind.mask, (), prepared.excluded)
        return Prediction(probability=agreeing(probability, mask))

    @on_one_thread
    def levels(
        self, prepared: RegionPicture, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> Levels:
        """Offer segments that the newest click may turn to its class; its own has level 0.5.

        Raises
        ------
        InputError
            If there is no click.
        """
        check_clicks(clicks, height=prepared.height, width=prepared.width)
        if not clicks:
            raise InputError("There is no click that could have levels; click first.")
        if previous is None and _is_settled(clicks):
            previous = self.predict(prepared, clicks[:-1])
        reach = self._reach(prepared, clicks, previous)
        offered = offer_levels(reach.pixels, clicks[-1], automatic=OWN_LEVEL, each_side=3)
        areas = []
        for level in offered.thresholds:
            chosen = [*clicks[:-1], replace(clicks[-1], level=level)]
            mask = self._at_level(prepared, chosen, previous, reach).mask
            areas.append(reach.area_turned(mask))
        return unlike_levels(offered, areas)

    @on_one_thread
    def maps(
        self, prepared: RegionPicture, clicks: Sequence[Click], previous: Prediction | None = None
    ) -> list[ClickMaps]:
        """Show the distances from each click, and what all of them led to."""
        if not clicks:
            return []
        answer = self.predict(prepared, clicks, previous)
        opinion = self._opinion(prepared, prepared.whole, clicks, previous)
        doubt = self.config.certainty - opinion
        return region_maps(prepared.whole, clicks, doubt=doubt, answer=answer)

    def _reach(
        self, prepared: RegionPicture, clicks: Sequence[Click], previous: Prediction | None
    ) -> Reach:
        unchosen = [*clicks[:-1], replace(clicks[-1], level=None)]
        return reach_of(
            self._view(prepared, clicks, previous),
            clicks,
            own=self.predict(prepared, unchosen, previous).mask,
            before=None if previous is None else previous.mask,
            excluded=prepared.excluded,
        )

    def _at_level(
        self,
        prepared: RegionPicture,
        clicks: Sequence[Click],
        previous: Prediction | None,
        reach: Reach,
    ) -> Prediction:
        """Turn what the newest click's level means to turn, and draw it as any opinion."""
        level = clicks[-1].level or OWN_LEVEL
        view = self._view(prepared, clicks, previous)
        opinion = self._opinion(prepared, view, clicks, previous)
        turned = reach.turn(opinion, level, by=self.config.certainty)
        probability = self._draw(prepared, view, clicks, turned)
        mask = reach.limit(probability > 0.5, level)
        mask = keep_clicked(mask, clicks, prepared.excluded)
        looked = Looked(box=view.box, clicks=len(clicks))
        return Prediction(probability=agreeing(probability, mask), state=looked)

    def _view(
        self, prepared: RegionPicture, clicks: Sequence[Click], previous: Prediction | None
    ) -> View:
        """Look at the whole picture first, then at where the object was found."""
        if previous is None:
            return prepared.whole
        kept = previous.state.box if isinstance(previous.state, Looked) else None
        box = choose_part(previous.mask, clicks, margin=self.config.zoom, kept=kept)
        newest = clicks[-1]
        if not box.holds(newest.x, newest.y):
            return prepared.whole
        return self._look_closer(prepared, box, regions=self.config.zoom_regions)

    def _look_closer(self, prepared: RegionPicture, box: Box, *, regions: int) -> View:
        """Look at a part of the picture, once; the whole is known."""
        if box == prepared.whole.box:
            return prepared.whole
        config = self._view_config(regions, self.config.zoom_side)

        def look(part: Box) -> View:
            return look_at(
                prepared.image, prepared.features, part, walked=prepared.walked, config=config
            )

        return prepared._parts.get(box, look)

    def _view_config(self, regions: int, longest_side: int) -> ViewConfig:
        config = self.config
        return ViewConfig(
            regions=regions,
            longest_side=longest_side,
            bins=config.bins,
            strength=config.strength,
            levels=config.levels,
        )

    def _opinion(
        self,
        prepared: RegionPicture,
        view: View,
        clicks: Sequence[Click],
        previous: Prediction | None,
    ) -> NDArray[np.floating]:
        """Log odds of each region to belong to the object, (n,)."""
        located = view.locate(clicks)
        seen = [view.seen(click) for click in located]
        before = share = None
        if previous is not None:
            before = view.shrink(previous.mask)
            share = view.regions.superpixels.mean(before)
        bound = self.config.certainty
        opinion: NDArray[np.floating] = np.clip(
            self.network.log_odds(view.regions, seen, share), -bound, bound
        )
        if prepared.matched is not None:
            opinion = opinion + prepared.matched.log_odds(view.places, clicks, prepared.shape)
        remoteness = _remoteness(seen[-1])
        if share is not None:
            opinion = opinion + self.config.steadiness * (2 * share - 1) * remoteness
        if self.config.shape > 0:
            more = self.shapes.correction(view, opinion, located, before)
            opinion = np.clip(opinion + self.config.shape * more, -_SURER * bound, _SURER * bound)
        if share is not None and _is_settled(clicks):
            opinion = opinion + remoteness * (bound * (2 * share - 1) - opinion)
        return opinion

    def _draw(
        self,
        prepared: RegionPicture,
        view: View,
        clicks: Sequence[Click],
        opinion: NDArray[np.floating],
        *,
        drops: bool = True,
        corrects: BoolMask | None = None,
    ) -> FloatMap:
        """Draw an opinion of the regions as a probability, (H, W); see `draw_opinion`."""
        return draw_opinion(
            view,
            prepared.image,
            clicks,
            opinion,
            self.config,
            excluded=prepared.excluded,
            exemplar=None if prepared.kind is None else prepared.kind.mask,
            drops=drops,
            corrects=corrects,
        )


def _is_settled(clicks: Sequence[Click]) -> bool:
    """Whether a person chose how far an older click reaches."""
    return any(click.level is not None for click in clicks[:-1])


def _remoteness(click: RegionClick) -> NDArray[np.float64]:
    """How little each region has to do with a click, (n,), 0 at it and near 1 far away."""
    return np.asarray(1.0 - np.exp(-click.distances[:, 0] / _CLICK_REACH))
