"""What is learnt of seed posts and corrections: pure, without a database."""

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest

from routing import evaluating
from routing.scoring import features, plain, training
from routing.scoring.classifier import Classifier
from routing.scoring.measuring import Row, coverage, figures
from routing.scoring.said import NONE, Example, Said

ASKED = [
    Said("@HaloHelp my parcel has not arrived and nobody answers the phone, can you help?", "x"),
    Said("We are hiring: nurses in Ghent, apply now and send your CV #jobs", "x"),
    Said("Please add a dark theme, the app crashes since the last update", "import", "review", "en", 2),
]
EXPECTED = ["customer-service", "hr", "rnd"]


@pytest.fixture(scope="module")
def few():
    """Every eighth seed post."""
    return training.seeds()[::8]


@pytest.fixture(scope="module")
def learnt(few):
    return training.train(few, encoder=None)


def best(classifier, said):
    return [classifier.labels[at] for at in classifier.predict(said).argmax(axis=1)]


def test_words_alone_tell_departments_apart(learnt):
    assert best(learnt, ASKED) == EXPECTED
    assert np.allclose(learnt.predict(ASKED).sum(axis=1), 1, atol=1e-5)
    assert learnt.predict([]).shape == (0, 6)


def test_what_was_packed_says_the_same_and_holds_nothing_that_could_run(learnt):
    packed = learnt.to_bytes()
    assert np.array_equal(Classifier.from_bytes(packed).predict(ASKED), learnt.predict(ASKED))
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)
    with pytest.raises(ValueError):
        Classifier.from_bytes(b"no archive")


def test_the_same_lessons_make_the_same_model(few, learnt):
    again = training.train(few, encoder=None)
    assert again.to_bytes() == learnt.to_bytes()


def test_the_words_that_spoke_for_a_department_are_named(learnt):
    assert {"hiring", "apply", "cv", "we are", "#jobs", "jobs"} & {word for word, _ in learnt.words(ASKED[1], "hr")}


def test_a_department_that_an_admin_added_is_learnt_from_eight_examples(few):
    texts = [
        "Is the wheelchair ramp at the north entrance open?",
        "There is no lift for my wheelchair at your branch",
        "Do your films have audio description for blind viewers?",
        "The web form can not be used with a screen reader",
        "My guide dog was not allowed into the shop",
        "Where is the accessible toilet in the station?",
        "Sign language interpreter for the general meeting?",
        "Ramp broken, a wheelchair can not get into the train",
    ]
    taught = training.train(
        [*few, *(Example(Said(text), "access") for text in texts)],
        encoder=None,
        descriptions={"access": "Barriers for people with a disability: ramps, lifts, screen readers, guide dogs."},
    )
    asked = Said("Is there a lift or a ramp for a wheelchair?")
    assert best(taught, [asked]) == ["access"]
    assert best(taught, ASKED) == EXPECTED


def test_a_house_without_hr_never_hears_of_it(few):
    taught = training.train([each for each in few if each.label != "hr"], encoder=None)
    assert "hr" not in taught.labels
    assert NONE in taught.labels


def test_corrections_outweigh_seeds(few):
    """Here, thanks are for the press office, whatever seeds think."""
    said = [Said(f"thanks for the lovely visit number {number}, the museum team was great") for number in range(60)]
    taught = training.train([*few, *(Example(each, "pr") for each in said)], encoder=None)
    assert best(taught, [Said("thanks for the great visit to the museum")]) == ["pr"]
    assert set(taught.thresholds) <= set(taught.labels)


def test_one_label_is_nothing_to_choose_from(few):
    with pytest.raises(ValueError):
        training.train([each for each in few if each.label == "hr"], encoder=None)


def test_handles_and_links_stand_for_their_kind():
    assert plain.words("@HaloHelp see https://t.co/abc at 10:30 #JobsInKenya") == (
        "@support see linkhere at 0 #jobsinkenya jobs in kenya"
    )
    assert plain.handle("HaloCareers") == "@jobs"
    assert len(features.features(ASKED[0])) == len(features.names())


def test_how_much_could_be_placed_counts_second_answers():
    rows = [Row(Said(""), "pr", "hr"), Row(Said(""), "hr"), Row(Said(""), "pr")]
    told = figures(["hr", "hr", "hr"], [0.9, 0.8, 0.7], rows)
    assert (told["accuracy"], told["accuracy_with_alt"]) == (
        pytest.approx(1 / 3, abs=1e-3),
        pytest.approx(2 / 3, abs=1e-3),
    )
    assert told["coverage_at_90"] == pytest.approx(2 / 3, abs=1e-3)
    assert coverage(np.array([0.5, 0.5]), np.array([True, False])) == 0


def test_a_row_that_can_not_be_read_is_named(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text('{"text": "hello", "network": "x", "label": "sales"}\n')
    with pytest.raises(evaluating.Unreadable, match="line 1"):
        evaluating.read(file)


def test_there_are_seeds_enough_in_many_languages():
    seeds = training.seeds()
    counts = {label: sum(each.label == label for each in seeds) for label in evaluating.LABELS}
    assert min(counts.values()) >= 250
    for label in evaluating.LABELS:
        assert {"en", "de", "fr", "es"} <= {each.said.lang for each in seeds if each.label == label}
    assert len({each.said.text for each in seeds}) == len(seeds)


@pytest.fixture(scope="module")
def real():
    folder = os.environ.get("REAL_DATA")
    if not folder or not (file := Path(folder) / "routing_dev.jsonl").exists():
        pytest.skip("REAL_DATA names no folder with routing_dev.jsonl")
    return evaluating.read(file)


def test_no_seed_is_a_real_post_in_other_words(real):
    """As far as their words tell: nothing of other people's texts belongs here."""
    from sklearn.feature_extraction.text import CountVectorizer

    counting = CountVectorizer(analyzer=words_of, binary=True)
    theirs = counting.fit_transform([row.said.text for row in real])
    seeds = [each.said.text for each in training.seeds() if len(words_of(each.said.text)) >= 4]
    ours, longs = counting.transform(seeds), np.array([len(words_of(text)) for text in seeds])
    shared = (ours @ theirs.T).toarray()
    alike = shared / (longs[:, None] + np.asarray(theirs.sum(axis=1)).T - shared)
    assert [text for text, most in zip(seeds, alike.max(axis=1), strict=True) if most >= 0.4] == []


def words_of(text):
    return {word for word in plain.words(text).split() if word[0] not in "@#" and word != "linkhere"}


def test_the_lexicon_is_written_once_for_each_topic():
    told = json.loads(Path(features.__file__).with_name("lexicon.json").read_text())
    assert set(told) == set(evaluating.LABELS)
    for topics in told.values():
        assert all(len(words) == len(set(words)) for words in topics.values())
