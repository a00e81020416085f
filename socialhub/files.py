"""Static files under names that tell their content."""

from functools import cache

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Their addresses do not change while a process lives, and each page asks for forty."""

    @cache  # noqa: B019  (there is one of them in a process, and a few dozen files)
    def url(self, name: str, force: bool = False) -> str:
        return super().url(name, force)
