"""What a module computes, for the scripts of this folder. make_conv.py explains the names."""
import torch
from torch import nn

out = {}


def record(case, module, *inputs, **named):
    """Runs, walks back from a random upstream gradient, and notes everything."""
    inputs = {**dict(zip(("x", "x2"), inputs)), **named}
    for name, x in inputs.items():
        out[f"{case}.{name}"] = x.detach().clone()
        if x.is_floating_point():
            x.requires_grad_(True)
    is_module = isinstance(module, nn.Module)
    if is_module:
        with torch.no_grad():  # ones and zeros would hide mistakes
            for parameter in module.parameters():
                parameter.copy_(torch.randn_like(parameter))
        for name, value in module.state_dict().items():
            out[f"{case}.state.{name}"] = value.clone()
    y = module(*inputs.values())
    dy = torch.randn_like(y)
    y.backward(dy)
    out[f"{case}.y"], out[f"{case}.dy"] = y, dy
    for name, x in inputs.items():
        if x.is_floating_point():
            out[f"{case}.d{name}"] = x.grad
    if is_module:
        for name, parameter in module.named_parameters():
            out[f"{case}.grad.{name}"] = parameter.grad
        for name, value in module.named_buffers():
            out[f"{case}.after.{name}"] = value.clone()
