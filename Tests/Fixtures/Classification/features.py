"""The features of stills by Pillow and timm: cropped in the middle, resized, and the mean of the patch tokens after the last norm.

    features.py WEIGHTS CALL OUTPUT.npy STILL…

WEIGHTS is loaded strictly into the timm model that CALL makes.
"""

import sys

import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import load_file

weights, call, output, *stills = sys.argv[1:]
network = eval(call, {"timm": timm}).eval()
network.load_state_dict(load_file(weights), strict=True)
size = network.patch_embed.img_size[0]
mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
rows = []
for still in stills:
    picture = Image.open(still).convert("RGB")
    side = round(min(picture.size) * 224 / 256)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    crop = picture.crop((left, top, left + side, top + side)).resize((size, size), Image.Resampling.BICUBIC)
    pixels = (torch.from_numpy(np.array(crop)).float() / 255 - mean) / deviation
    with torch.no_grad():
        tokens = network.forward_features(pixels.permute(2, 0, 1)[None])
    rows.append(tokens[0, 1:].mean(dim=0).numpy())
np.save(output, np.stack(rows))
