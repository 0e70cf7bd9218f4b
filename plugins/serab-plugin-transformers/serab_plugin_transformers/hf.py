"""`hf:ORG/NAME[@REVISION]` and `hf:./FOLDER`: models of the Hugging Face hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import ExtractorSpec, hookimpl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serab_core.plugin import Extractor
    from serab_plugin_transformers.families import Shape
    from serab_plugin_transformers.hub import Model

SERAB_API_VERSION = 1
OPTIONS = {
    "layer": "`layer=-1` (the last; the default), `layer=6`, `layer=mean` of all, or `layer=best` on validation",
    "pool": "`pool=mean` over time (the default), or `pool=meanstd`: mean and deviation",
    "device": "`device=cuda`: compute on a GPU",
    "bf16": "compute in bfloat16",
}


@hookimpl
def serab_make_extractor(argument: str) -> ExtractorSpec:
    """Return the extractor of a model."""
    from serab_plugin_transformers.families import shape_of
    from serab_plugin_transformers.hub import find

    model = find(argument)
    shape = shape_of(model)
    return _spec(model, shape, {})


def _spec(model: Model, shape: Shape, options: Mapping[str, str]) -> ExtractorSpec:
    layer, pool = _layer(options.get("layer", "-1"), shape.layers), options.get("pool", "mean")
    device, bf16 = options.get("device", "cpu"), "bf16" in options
    if pool not in ("mean", "meanstd"):
        raise ValueError(f"pool={pool} is unknown; use pool=mean or pool=meanstd")
    if device.partition(":")[0] not in ("cpu", "cuda"):
        raise ValueError(f"device={device} is not a device; use cpu, cuda or cuda:1")
    width = shape.width * (2 if pool == "meanstd" else 1)
    best = layer == "best"

    def factory() -> Extractor:
        from serab_plugin_transformers.extractor import Hf, Settings
        from serab_plugin_transformers.hub import with_weights

        return Hf(f"hf:{model.argument}", with_weights(model), shape, Settings(layer, pool, device, bf16))

    def preflight() -> None:
        from serab_plugin_transformers.inspection import inspect

        inspect(model)

    which = f"{shape.layers} layers, one chosen on validation" if best else f"layer {layer}"
    return ExtractorSpec(
        name=f"hf:{model.argument}",
        factory=factory,
        dim=width * (shape.layers if best else 1),
        summary=f"{model.config.get('model_type')} from the Hugging Face hub, {which}, {pool} over time; "
        f"{width} numbers",
        licence="the model's own: see its card",
        citation=_citation(model),
        sample_rate=shape.rate,
        parameters={
            "revision": model.revision,
            "layer": layer,
            "pool": pool,
            "device": device,
            "bf16": bf16,
            "longest_s": shape.longest_s,
        },
        libraries=("torch", "transformers"),
        batch_size=16,
        layers=tuple(str(number) for number in range(shape.layers)) if best else (),
        options=OPTIONS,
        configure=lambda chosen: _spec(model, shape, chosen),
        preflight=preflight,
    )


def _citation(model: Model) -> str:
    """Return a citation of the model's page, which names the paper."""
    if model.local:
        return f"@misc{{model, title = {{A model of type {model.config.get('model_type')}, in a folder}}}}"
    repository = model.argument.partition("@")[0]
    return f"@misc{{model, title = {{{repository}, revision {model.revision}}}, url = {{https://hf.co/{repository}}}}}"


def _layer(text: str, layers: int) -> str:
    """Return `mean`, `best`, or a number from 0 on, where 0 is the input of the first layer."""
    if text in ("mean", "best"):
        return text
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"layer={text} is not a layer; use a number, mean or best") from None
    if not -layers <= number < layers:
        raise ValueError(f"the model has no layer {text}; use 0 (the input of the first layer) to {layers - 1}")
    return str(number % layers)
