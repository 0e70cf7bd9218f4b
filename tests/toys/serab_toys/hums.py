"""A corpus that makes itself, as `demo` does."""

from dataclasses import replace

from serab_core import hookimpl
from serab_toys import tones


@hookimpl
def serab_register_datasets(register):
    register(replace(tones.SPEC, name="hums", title="Hums", synthetic=True, generate=tones.write))
