"""Who is on the demo network: an invented company's accounts and the people who write to it. Every name is made up."""

from dataclasses import dataclass
from random import Random

COMPANY = "Mirabelo"
ABOUT = "E-bikes by subscription in Bristol, Hamburg, Lyon, Utrecht and Valencia"


@dataclass(frozen=True)
class Somebody:
    handle: str
    name: str
    followers: int | None = None
    lang: str = "en"
    verified: bool = False
    is_house: bool = False


HOUSE = (
    Somebody("mirabelo", "Mirabelo", 48_200, verified=True, is_house=True),
    Somebody("mirabelo_jobs", "Mirabelo Careers", 3_900, verified=True, is_house=True),
    Somebody("mirabelo_app", "Mirabelo app", 1_250, verified=True, is_house=True),
)
MAIN, CAREERS, APP = (each.handle for each in HOUSE)

PEOPLE = (
    Somebody("jo_pedals", "Jo Whitcombe", 312),
    Somebody("tom_brightwell", "Tom Brightwell", 42_600, verified=True),
    Somebody("priya.rides", "Priya Raman", 1_840),
    Somebody("ollie_k_bristol", "Ollie Kettering", 95),
    Somebody("wheelsandwords", "Dan Ashcombe", 2_310),
    Somebody("cllr_ngozi", "Cllr Ngozi Adebayo", 6_700, verified=True),
    Somebody("ruthonwheels", "Ruth Lindley", 890),
    Somebody("grace_tmw", "Grace Tomlin", 41),
    Somebody("sam_bearings", "Sam Fairhurst", 133),
    Somebody("techdispatch_eu", "Ines Holloway | Tech Dispatch", 88_400, verified=True),
    Somebody("pedalpod", "The Pedal Pod", 12_900),
    Somebody("harbourside_runs", "Harbourside Runners", 4_050),
    Somebody("moneymoon_x", "moneymoon", 17),
    Somebody("eleanor_vance_b", "Eleanor Vance", 220),
    Somebody("kit_and_crew", "Kit Marlowe", 530),
    Somebody("aisha_b", "Aisha Bello", 76),
    Somebody("nightowl_rm", "R. M.", 8),
    Somebody("jens_hh", "Jens Petersen", 187, "de"),
    Somebody("klinikum_elbe", "Klinikum Elbufer", 2_950, "de", verified=True),
    Somebody("frieda.radelt", "Frieda Lohmann", 640, "de"),
    Somebody("matze_w", "Matthias Wiebe", 54, "de"),
    Somebody("elbblick_news", "Elbblick Nachrichten", 31_200, "de", verified=True),
    Somebody("svenja_k", "Svenja Kröger", 402, "de"),
    Somebody("hannes.schraubt", "Hannes Dierksen", 118, "de"),
    Somebody("oma_gerda_hh", "Gerda Thomsen", 12, "de"),
    Somebody("lmercadier", "Laure Mercadier", 18_300, "fr", verified=True),
    Somebody("velo_lyonnaise", "Camille Roussel", 760, "fr"),
    Somebody("bastien_cx", "Bastien Charrier", 143, "fr"),
    Somebody("manon.dlp", "Manon Delpierre", 2_020, "fr"),
    Somebody("karim_atelier", "Karim Benali", 88, "fr"),
    Somebody("croixrousse69", "Les gens de la Croix-Rousse", 5_400, "fr"),
    Somebody("theo_vtt", "Théo Garnier", 301, "fr"),
    Somebody("lucia_en_bici", "Lucía Ferrer", 930, "es"),
    Somebody("turno_de_noche_vlc", "Turno de noche", 264, "es"),
    Somebody("pacorro_74", "Paco Roselló", 61, "es"),
    Somebody("festibici_vlc", "Festibici València", 9_800, "es"),
    Somebody("marta.gimeno", "Marta Gimeno", 415, "es"),
    Somebody("diego_ing", "Diego Albiol", 172, "es"),
    Somebody("sanne_fietst", "Sanne de Wit", 505, "nl"),
    Somebody("joost_utr", "Joost van Leeuwen", 97, "nl"),
    Somebody("giuli_pedala", "Giulia Morandi", 1_130, "it"),
    Somebody("rita_aveiro", "Rita Aveiro", 284, "pt"),
    Somebody("zofia_na_rowerze", "Zofia Wrona", 366, "pl"),
    Somebody("yuki_in_utrecht", "Yuki Tanabe", 208, "ja"),
)

_FIRST = {
    "en": "Alfie Beth Callum Daisy Edie Fergus Harriet Imran Jess Kwame Leah Mo Nadia Owen Poppy Rhys Tara Zac",
    "de": ("Anke Björn Carla Dirk Emre Finja Grit Henning Ida Jonas Katrin Lennart Mareike Nele Ole Petra Timo Wiebke"),
    "fr": (
        "Adèle Bruno Chloé Damien Élise Farid Gaëlle Hugo Inès Jules Léa Mathieu Nora Olivier Pauline Rémi Sonia Yann"
    ),
    "es": ("Alba Borja Carmen Daniel Elena Fermín Gema Hugo Irene Javi Lola Marc Noelia Óscar Pilar Raúl Sara Vicent"),
    "nl": "Anouk Bas Femke Daan Esmee Gijs Hanna Joris Lotte Maarten Noor Ruben Tess Wouter",
    "it": "Alessia Bruno Chiara Dario Elisa Franco Giada Ivan Lara Marco Nicola Paola",
}
_LAST = {
    "en": (
        "Amory Barlow Cawley Denby Eastlake Farrow Garside Hollins Ibbot Kershaw Lomas Merrick Orme Pascoe "
        "Quayle Sowerby"
    ),
    "de": (
        "Albers Brandt Cordes Detlefsen Ehlers Franzen Grote Harms Jessen Kruse Lüders Mahnke Ohlsen Rathje "
        "Stüben Voigt"
    ),
    "fr": (
        "Aubert Besson Caron Duval Estève Fabre Gaillard Hamon Jacquet Lacroix Mercier Noël Perrin Rivière Tissot Vidal"
    ),
    "es": (
        "Alcover Bosch Catalá Domingo Esteve Fuster Gandía Herrero Iborra Llopis Miralles Navarro Orts Pastor "
        "Soler Vila"
    ),
    "nl": "Bakker Dekker Haan Jansma Koster Meijer Postma Smits Veenstra Wolters",
    "it": "Bassi Conti Denti Farina Galli Lombardi Marchi Neri Rinaldi Valli",
}
_PLAIN = str.maketrans("áàâäçéèêëíìîïñóòôöúùûüßøå", "aaaaceeeeiiiinoooouuuusoa")


def anybody(chance: Random, lang: str) -> Somebody:
    """Somebody who was not heard of before. Most people have few followers, a few have many, of some it is not
    known."""
    lang = lang if lang in _FIRST else "en"
    first, last = chance.choice(_FIRST[lang].split()), chance.choice(_LAST[lang].split())
    plain = [word.casefold().translate(_PLAIN) for word in (first, last)]
    shape = chance.choice(("{0}{1}{n}", "{0}.{1}{n}", "{0}_{1}{n}", "{0}{n}", "{1}{0}{n}"))
    handle = shape.format(*plain, n=chance.randint(2, 9999))
    followers = None if chance.random() < 0.08 else int(chance.paretovariate(0.7) * 25) % 90_000
    return Somebody(handle, f"{first} {last}", followers, lang)
