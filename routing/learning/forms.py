"""What people fill in about learning."""

from django import forms


class ThresholdForm(forms.Form):
    """A label and how sure to be, in percent; or `reset`, for what each model finds itself."""

    label = forms.CharField(max_length=50)
    percent = forms.IntegerField(min_value=30, max_value=100, required=False)
    reset = forms.BooleanField(required=False)

    def clean(self):
        said = super().clean()
        if not self.errors and not said.get("reset") and said.get("percent") is None:
            self.add_error("percent", "Choose a share from 30 to 100 %.")
        return said

    @property
    def value(self) -> float | None:
        return None if self.cleaned_data["reset"] else self.cleaned_data["percent"] / 100

    def first_error(self) -> str:
        return next(str(errors[0]) for errors in self.errors.values())


class ExamplesForm(forms.Form):
    texts = forms.CharField(
        max_length=200_000,
        label="More examples",
        help_text="One post a line, as people write them. Leave out names and numbers of persons.",
        widget=forms.Textarea(attrs={"rows": 8}),
    )

    def __init__(self, *args, **named):
        super().__init__(*args, label_suffix="", **named)

    def clean_texts(self) -> list[str]:
        return self.cleaned_data["texts"].splitlines()
