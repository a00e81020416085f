"""Texts as points, and the mood that is read from them: with the encoder that ships, loaded once for this file."""

import pytest

from routing.scoring import encoder as encoding
from routing.scoring.encoder import Sentences, encoder
from routing.scoring.sentiment import MOODS, as_step, moods_by_words, moods_of, posts


@pytest.fixture(scope="module")
def sentences():
    yield encoder()
    encoder().release()


def test_what_means_alike_lies_near_in_any_language_and_the_table_may_be_cut_off(sentences, tmp_path, monkeypatch):
    texts = ["Where is my parcel?", "Wo ist mein Paket?", "We are hiring a chemist"]
    points = sentences.encode(texts)
    assert points.shape == (3, sentences.size) and points.dtype == "float32"
    assert points[0] @ points[1] > 0.6 > 0.4 > points[0] @ points[2]
    # Of a file that is not whole nothing is read: it is written anew, and the points are the same.
    monkeypatch.setattr(encoding, "_folder", tmp_path)
    (tmp_path / f"{sentences.name}.table").write_bytes(b"half of it")
    again = Sentences()
    assert (again.encode(texts) == points).all()
    again.release()
    assert again._model is None and again._timer is None


def test_a_mood_is_read_from_a_point_and_without_an_encoder_from_a_few_words(sentences):
    texts = ["They were so kind to my grandfather, thank you", "Rude, late and broken, never again", "Open till six"]
    by_points, by_words = moods_of(sentences.encode(texts), sentences.name), moods_by_words(texts)
    assert list(map(as_step, by_points)) == [1, -1, 0]
    assert list(map(as_step, by_words)) == [1, -1, None]
    assert moods_of(sentences.encode(texts), "another encoder") is None


def test_there_are_posts_of_every_mood_to_learn_from():
    for number in range(len(MOODS)):
        assert sum(mood == number for _, mood in posts()) >= 60
