"""Writes audio.safetensors: resampling by torchaudio, spectrograms by librosa.

    pip install -r tests/golden/requirements.txt
    python tests/golden/make_audio.py
"""

import pathlib

import librosa
import numpy as np
import torch
import torchaudio
from safetensors_file import save_finite

random = np.random.default_rng(12)
time = np.arange(300)
sound = (0.3 * np.sin(0.2 * time + 0.001 * time**2) + 0.05 * random.standard_normal(300))
sound = sound.astype(np.float32)
out = {"sound": torch.from_numpy(sound)}

# From the rate, to the rate: two divisors, more samples, fewer, and coprime.
for old, new in [(8000, 16000), (16000, 8000), (44100, 8000), (8000, 11025), (90, 100), (7, 5)]:
    # Kernels in f64, as here; torchaudio's default is the dtype of the sound.
    wave = torch.from_numpy(sound.astype(np.float64))
    out[f"resample.{old}.{new}"] = torchaudio.functional.resample(wave, old, new)

for rate, n_fft, hop, mels in [(8000, 256, 80, 40), (16000, 400, 160, 80), (8000, 30, 7, 5)]:
    x = sound.astype(np.float64)
    name = f"{rate}.{n_fft}.{hop}.{mels}"
    power = librosa.feature.melspectrogram(y=x, sr=rate, n_fft=n_fft, hop_length=hop, n_mels=mels,
                                           dtype=np.float64)
    out[f"log_mel.{name}"] = torch.from_numpy(
        librosa.power_to_db(power, ref=1.0, top_db=None).T.copy())
    if mels < 80:
        out[f"filters.{name}"] = torch.from_numpy(librosa.filters.mel(
            sr=rate, n_fft=n_fft, n_mels=mels, dtype=np.float64))

save_finite(pathlib.Path(__file__).parent / "audio.safetensors", out)
