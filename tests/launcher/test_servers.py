from socialhub.embedded import places, postgres, valkey


def test_the_servers_of_the_tests_answer():
    assert postgres.answers(places.find()) and valkey.answers(places.find())
