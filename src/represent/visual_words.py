"""Generates visual_words.txt: English words for visible things, the built-in vocabulary of `VisualWords`.

    python visual_words.py docs.tsv.gz        # Python 3 without dependencies; writes the file next to this one

`docs.tsv.gz` contains the synsets of WordNet 3.0, one per line after a header line, with tab-separated fields: synset,
lexicographer file (such as noun.animal), lemmas (separated by ", "), gloss. WordNet's license is in
visual_words.LICENSE.

WordNet determines which words are names of things, and the vocabulary of the built-in embedder, which is sorted by
frequency, determines which of them are common. A word is selected if at least one of its concrete senses lists it first,
at least half of its noun senses are concrete, and at least half of all its senses are nouns. WordNet does not indicate
the most common sense, so the result was reviewed manually: NOT_SEEN are words that the rule selects but whose common
sense is not visible, proper names, and offensive words. Of words for people, only PEOPLE are selected, who can be
recognized by their appearance. FURTHER are everyday things that the rule misses, including words that the embedder's
vocabulary contains only in pieces. SCENES and COLORS are not things.
"""

import collections
import gzip
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
VOCABULARY = HERE.parent / "embed" / "builtin" / "vocabulary.txt"

CONCRETE = {
    f"noun.{file}"
    for file in "animal artifact body food location object person phenomenon plant substance".split()
}

PEOPLE = """
man woman boy girl child baby toddler teenager couple family crowd sailor pilot captain officer policeman sheriff
firefighter doctor nurse surgeon dentist scientist teacher professor student cheerleader athlete runner swimmer
cyclist skier skater surfer wrestler gymnast golfer cricketer goalkeeper quarterback batter referee umpire spectator
audience musician singer drummer guitarist pianist violinist saxophonist bassist conductor rapper dancer ballerina
actor actress clown magician comedian model photographer journalist reporter artist painter sculptor writer chef cook
baker butcher waiter waitress bartender barber hairdresser farmer shepherd cowboy gardener fisherman hunter miner
carpenter blacksmith plumber electrician mechanic engineer builder astronaut lawyer judge businessman politician
president queen prince princess empress priest monk nun pope rabbi imam saint angel devil demon vampire ghost witch
wizard mermaid fairy elf troll goblin giant werewolf monster alien superhero ninja samurai viking gladiator warrior
archer bride groom bridesmaid grandmother grandfather mother father pedestrian tourist hiker climber diver passenger
driver biker jockey rider shopper protester nomad goddess batman robot mascot lifeguard bodyguard librarian secretary
mailman vendor merchant tailor potter welder butler maid
""".split()

NOT_SEEN = """
aba abdomen abdominal abyss accelerator accessory acoustic adjunct admiral adobe adult aerospace afghan aftermath
airbus airline airspace ala alarm album alcohol alloy aluminum amazon amino ammonia android angelica anime annual
anomaly antagonist antibody antigen ape aperture apex apparatus apparel appendix arbor archdiocese archive arctic area
argent argentine argus argyle argyll ark armament armory array arroyo arsenic asbestos ascot ash ass assembly atom
attire audio axis baba backbone backdrop backseat bacon bacteria baggage bailey ballast band bank bard baritone barrio
bartlett base baseline basil basilica bass bastard bastion bath batting bay beam bearing bedrock bedside ben
benedictine bent berlin berth bethel beverage bile billy binding biomass birthplace bitch bladder blanc blank
blockbuster board boarding boards bob body boiler bologna bond booster bore borough bot botanical bottom brace brad
brake bran brant brass breast brewery briefs brit broadcaster brow buck buff buffalo buffer bumper burr butt butte
bypass cache calcium calculus caliphate cam cameo camp campus can cane canine cannabis canteen cap cape capital
capitol capsule carbon cardinal cargo case cassette catchment cavern cavity cellar center chad chamber chancel channel
char charlotte chateau cheek chesterfield chew china chip chloride chopper chow chromosome cinema circuit cisco citrus
clarence clary clip club coating cobalt coca cocaine cochin cock cod coil coke col cola colliery collins cologne
colors colt coma commemorative commodity commons commune compartment complex composite compressor condom constellation
consulate cope cord cords core corner cornerstone corona cortex cosmos costa cote counter counterpart county coupling
course court cove crap creep crest croft crook crossing crotch cruiser crust crypt cuff cuisine dairy dale dam danish
daphne davenport debris deck decker dell den derrick detector developer device dial diet dietary dinner diocese
dioxide dirk disco discus dish distributor district divinity dixie dobson doe doll dolly dose drain drake drink duchy
duct duff dug dummy dwelling dye dynamite dynamo eater edge elastic electricity electrode electron element elements
elves embankment embryo emery enamel enclave enclosure ensign environment enzyme equator equipment erica essence
estuary ether ethernet event excavation face facial facing fallout falls fare farmland feeder fiber fife filling filly
film fin firth fisher fishery fitting fixture flank flashing flats fledgling flesh flies folder footage ford forefront
forum foundry fraction fragment frame fringe frontier fuji gable gale galley gap garbage garrison gas gastropod
gateway gear gearbox gel gem gemma gene geneva ghetto gig gland glen glucose gnu goal gore governor grange greaves
greens greenwood grid grille grinding grit groin grounds grove grunt guide gulf gunnery gunpowder gurney gust gut guy
habitat hack hackney hank hardware harrow hart harvest hash haven hazard hazel head header headquarters heartland
heath heather helium helm helping hem hemisphere hen heroin hideout highland hilt hind hip hobby hogan hole holly home
hometown homo honesty hood hooks hopper hormone hornet horseback horst hospice hostel housing hub hulk hull hydra
hydrogen idol incidence indicator infrared infrastructure ingredient inhibitor inlet insulin interaction interceptor
interface internet interstate ion iris isle isotope jack jail japan jasmine jasper jean jersey jimmy judas jumper junk
jurisdiction kat kernel key keystone kid kidney kinase kirk kit kitty knob kraft kris kylie lac lair lambda landau
landfall landfill landing landmark landscape lane lap lark laser latch latitude launcher laurel layer leather lee left
leg lever lid ligament ligand likeness lily limb linen liner ling lining links liquor lister lithium litter livestock
liza load lobe loch locus longitude lookout lough lounge lowland luck lung mace machinery macintosh macon madras magma
magnesium magnum mainland malacca manhattan manifold manila manor mansion mantle mara marc marcel mare marguerite
marijuana marker marrow marseille martin masjid masonry massif masterpiece matrix mausoleum maverick maxi mead meal
mecca medina medium membrane merchandise mercury mere meridian mesa mess metallic methane methyl metro middle midfield
midland midst miller milling milo mine minimum mixer module mohawk molecule mollusk monarch monitor mons morocco motor
mounting muller municipality mural must mustang mutant muzzle nan nanny nape napoleon nasal nave nebula necessity
nectar neighbor net network neutron newmarket nipple nitrate nitrogen node notch nova novel nucleus nude nursery nut
oasis obstacle opener opium oracle orbit orchestra ordinary organ ornamental ottoman outdoors outfit outpost outskirts
overall overhead oxford oxide oxygen ozone pad paddy palatinate panting panzer papyrus parasite parish particle
partisan partition parts paste patch path pathogen pathway patty pavilion paving pea peat peg penis peptide
perpendicular perry pest petroleum phoebe phosphate phosphorus photon pia picket pickup piedmont pig pigment pike pin
pinnacle pinto pipeline pit pixel planner plaque plasma playback pointer poke poll pollard polls polymer portal
potassium potion pottery pouch precinct predator prefecture premises pressing prey primary primate principality print
priory prison privateer product projectile prop propulsion protectorate protein proton pueblo pulp punch punk pup
pupil purchase python quad quadrant quarrel racer radius railing range rattle ray rayon rear receptor recorder
recording redhead reformer refuge region regulator relative relic reluctance remains remake remedy rep replica
repository residence residue resin rhea rib ridley rift rig rim rings rip roads robe roe roller rook rosemary rotor
rouge round rowan rubbing rubbish rudd rue rust rye sable sac sack safe safety sage saliva sap sash saskatoon satin
sawyer sax scale scrap seam seating seeker segment seine seizing selector semiconductor serge serpent serum sesame
setting sewage sewer sewing shaft shale sheath shielding shipping shire shook shopping side siding sienna sierra
sights silesia silicon silva sima simulator sire siren site slate slice sling slip slit slot sodium sol sole solvent
somewhere sonar soundtrack source southland soy spear specimen spectrum speedway sperm spice spike spine spit spoke
spotlight spray spring springer spur stacks stage stall star station steamer steel stem steppe steps stigma stock
stocks stole strait strand strap stronghold stubble stud stuffing stunt subcontinent substrate suburb sucker suit
sulfate sulfur sultanate superstructure supper surface surgery surrey sweat swift tab tack tam tammy tang tape target
teaser teddy tee tempest tensor terminus terrain territory terry testosterone thong ticking tier till timothy tissue
titanium toby token tom tool top topping tor torso township toxin tract trajectory transmitter transparency trap trey
tribune trident trigger truss tub tuck tucker tun turbine turnout turret ulster ultrasound ultraviolet upper uranium
urine vaccine valve vane vanilla vantage vapor variable vector veil venom vent venue veronica vertex viceroy vicinity
viewer vintage vinyl violet vitamin voltage vomit wadi waist walker ward ware warren watershed ways weaponry web weed
weir whereabouts whitehead wicket winery wiring wonderland worker workplace works world worm wrapping wreckage yeast
zenith zinc zone
""".split()

FURTHER = """
acorn airliner albatross alpaca amethyst amphitheater anemone anteater antelope antler anvil apricot archway armadillo
armpit artichoke ashtray asparagus automobile avalanche avocado axe baboon badger bagel bagpipe bandage banknote
barbell barcode barge bark barrel bassoon bathtub battery bayonet beanie bear bedspread beehive beet beetle birdcage
birdhouse biscuit blackbird blackboard blender blueberry bobcat bolt bonfire bonsai book bookcase bookshelf boomerang
bowtie bra braid breakfast broccoli bruise bubble buckle buddha building bulldog bulldozer bumblebee burger burrito
burrow buttercup butterfly buzzard calculator calendar campfire candlestick cappuccino caramel caravan caricature
carnation carpet carton cartoon casserole catapult caterpillar cattail cauliflower cave caviar ceiling celery centaur
centipede chainsaw chameleon chandelier chart checkerboard cheeseburger cheetah chihuahua chimpanzee chipmunk chisel
chopsticks chrysanthemum cicada cider circus clam clipboard cloud cobweb cockatoo cockerel cockroach cocoon coin
colander coliseum collage collie column combine conifer corkscrew cormorant cornbread cottage cougar courtyard cracker
cradle crayfish crayon creek crib crochet croissant cross crosswalk crossword crow crucifix crutch cubicle cucumber
cupcake curry cymbal dachshund daffodil dalmatian dandelion desert diaper dice dishwasher doormat doughnut dragon
dragonfly drawing dress dresser drill drugstore dryer duckling dumbbell dumpling dustbin eagle earphones earring
eclipse eggplant eggs egret emerald emu eraser escalator espresso etching excavator eyeball eyelash eyelid fan farm
faucet feast feather fence ferret ferry finger fingernail fingerprint fire firewood firework fireworks flame flamingo
flounder foal fog foliage food forehead forklift freckle freeway freezer fries frisbee frost fudge fuse galaxy
gargoyle garland gazebo gazelle gecko gemstone geranium gerbil geyser gift giraffe glasses goggles goldfish gondola
gopher graffiti gramophone grapefruit grass grasshopper grater gravel gravestone graveyard gravy griffin grouse gull
hairbrush haircut hairdo hammock hamster handbag handcuffs handsaw handwriting harness harpoon hatchet headphones
heater hedge hedgehog heifer hibiscus hinge hippopotamus hoe honeybee honeycomb honeysuckle hoof hourglass hovercraft
hummingbird husky hyacinth hydrant hyena ibis iceberg icicle icing igloo iguana jam jar jaw jeans jellyfish jigsaw
joystick jungle kayak kebab ketchup kiln kilt kimono kingfisher knot koala label lace ladder ladle ladybug lamb
lamppost lasagna laundromat leash lemonade lemur letter lettuce light lighthouse lilac lipstick llama lobby log logo
lollipop loom loudspeaker louse lunch macaw mackerel magpie mailbox maize makeup mall manatee manuscript map marigold
marshmallow mask matchbox mayonnaise meadow medal meerkat megaphone melon menorah menu meteorite metronome milkshake
mill minaret minibus minivan minnow mist mistletoe mite mitten money moose mop moped motorboat moustache muffin musket
mussel nail necktie nettle nightstand noodle noose nostril oar oatmeal obelisk omelet opossum orangutan orchard
ornament ostrich paddle painting pajamas pancake panda pants papaya parakeet parkway parsley patchwork pearl pebble
pelican peony people pergola petal pharmacy pheasant phone photograph picnic piglet pillar pineapple pinecone piranha
placemat plant plantation platypus pliers plow plywood pomegranate poodle poplar popsicle porcupine porridge poster
pretzel primrose projector pterodactyl pub puddle puffin pulley pyramid quail quilt raccoon racket radiator radish
raft railroad raincoat raisin rake ramen rapids raspberry rat rattlesnake raven reef reindeer retriever rhinoceros
rickshaw rifle roadblock rooster roundabout rowboat ruby ruler sail sailboat salamander sandal sandbox sandwich
sapling sapphire sardine sari sauce saucer saxophone scaffolding scallop scar scarecrow scarf scissors scooter
screwdriver scroll scythe seagull seahorse seaweed seesaw sensor shed shellfish ship shop shore shorts shrew sickle
sign silo sink skateboard sketch skunk sled sleigh slingshot slipper sloth smartphone smoke smokestack sneaker
snowball snowboard snowdrop snowflake snowman snowplow soda spaceship spaniel spatula spinach spindle sponge staircase
stamp stapler starfish steamroller steeple stethoscope stew stingray stirrup store stork strainer stream street
streetlight stroller sturgeon submarine subway suitcase sundial sunflower sunrise sunset surfboard sushi swan swimsuit
swine swing swordfish sycamore syringe tablecloth taco tadpole tambourine tarantula tattoo taxi teacup team teapot
teeth telescope termite tern terrier text thermometer thermostat thimble thorn thread thunderstorm tiara ticket tinsel
tire toad toaster toe tofu tomb tombstone toothbrush toothpaste tortilla tortoise totem toucan train tram trampoline
transistor trash treadmill tree tricycle tripod trolley trowel trumpet tuba tulip turban turnip turntable tusk tuxedo
twig typewriter ukulele umbrella underpants unicorn uniform urchin veranda vole waffle wallpaper walrus warbler watch
watercolor watermelon watermill wave wedding wheelbarrow whisk whistle whiteboard wigwam wildcat wildflower wire
wombat woodland woodpecker wound wrench xylophone yak yarn yogurt yoyo zipper zoo zucchini
""".split()

SCENES = """
snow|ice|night|day|dawn|dusk|twilight|storm|rain|wind|sunshine|shadow|reflection|silhouette|indoors|outdoors|
indoor scene|outdoor scene|close-up|aerial view|landscape|seascape|cityscape|skyline|street scene|underwater|
black and white|sepia|blurry|bright light|darkness|winter|summer|autumn|spring|blue sky|cloudy sky|starry sky|
full moon|northern lights|milky way|snowy mountain|sandy beach|rocky coast|green field|autumn leaves|cherry blossom|
tropical island|coral reef|rice field|hot air balloon|birthday cake|birthday party|christmas tree|wedding dress|
family portrait|group of people|crowd|parade|protest|concert|festival|carnival|ceremony|meeting|conference|lecture|
football match|baseball game|basketball game|soccer|tennis|golf|hockey|rugby|boxing|wrestling|surfing|skiing|
snowboarding|skateboarding|swimming|diving|sailing|rowing|fishing|hunting|hiking|camping|climbing|cycling|horse riding|
horse race|car race|dance|ballet|yoga|martial arts|archery|fencing|gymnastics|marathon|cooking|reading|sleeping|smile|
kiss|hug|selfie|wild animal|polar bear|teddy bear|guinea pig|sea lion|sea turtle|killer whale|
siamese cat|german shepherd|hot dog|ice cream|french fries|fried egg|fried chicken|fruit salad|bowl of soup|
loaf of bread|cup of coffee|cup of tea|glass of wine|bottle of beer|orange juice|sweet potato|bell pepper|
palm tree|pine tree|oak tree|potted plant|fire truck|fire hydrant|police car|police officer|pickup truck|
double-decker bus|school bus|steam train|steam locomotive|high-speed train|train station|bus stop|gas station|
parking lot|traffic light|traffic jam|stop sign|road sign|parking meter|ferris wheel|roller coaster|swimming pool|
tennis racket|baseball bat|baseball glove|golf club|golf course|soccer ball|hockey stick|billiard table|chess board|
playing card|video game|board game|cell phone|mobile phone|remote control|computer mouse|credit card|alarm clock|
wine glass|frying pan|cutting board|rocking chair|dining table|dining room|living room|bathroom|bedroom|kitchen|
office|hallway|hospital room|operating room|church interior|stained glass|city hall|town square|market stall|
shopping cart|shopping mall|construction site|power plant|power line|wind turbine|solar panel|oil rig|space station|
space shuttle|space suit|fighter plane|war memorial|brick wall|stone wall|wooden house|old building|ruin|castle ruin|
mountain lake|mountain peak|river bank|forest path|country road|dirt road|railway track|suspension bridge|
line drawing|oil painting|pencil drawing|clip art|comic book|movie poster|album cover|book cover|coat of arms|
x-ray|satellite image|screenshot|graph|map of the world|handwritten note|printed text|pattern|stripes|polka dots
"""

COLORS = "black white grey red orange yellow green blue purple pink brown beige turquoise gold silver".split()


def senses(path):
    """Returns the senses of each lemma: the lexicographer file, and whether the sense lists the lemma first."""
    found = collections.defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            _, file, lemmas, _ = line.rstrip("\n").split("\t")
            for place, lemma in enumerate(lemmas.split(", ")):
                found[lemma].append((file, place == 0))
    return found


def is_concrete(senses_of_word):
    nouns = [sense for sense in senses_of_word if sense[0].startswith("noun")]
    concrete = [sense for sense in nouns if sense[0] in CONCRETE]
    usual = any(first for _, first in concrete)
    return usual and 2 * len(concrete) >= len(nouns) and 2 * len(nouns) >= len(senses_of_word)


def is_person(senses_of_word):
    files = collections.Counter(file for file, first in senses_of_word if first and file in CONCRETE)
    return bool(files) and files.most_common(1)[0][0] == "noun.person"


def main():
    wordnet = senses(sys.argv[1])
    lines = VOCABULARY.read_text(encoding="utf-8").split("\n")
    rank = {word: place for place, word in enumerate(lines) if re.fullmatch("[a-z]{3,}", word)}
    taken = {word for word in rank if is_concrete(wordnet[word]) and not is_person(wordnet[word])}
    taken -= set(NOT_SEEN)
    phrases = [phrase.strip() for phrase in SCENES.replace("\n", "").split("|")]
    taken |= set(PEOPLE) | set(FURTHER) | set(COLORS) | set(phrases)

    def order(word):
        return (rank.get(word, len(rank) + len(lines)), word)

    words = sorted(taken, key=order)
    (HERE / "visual_words.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    print(len(words), "words")


if __name__ == "__main__":
    main()
