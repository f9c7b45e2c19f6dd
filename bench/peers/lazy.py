"""Makes the feed-forward units of a random checkpoint with a relu lazy: few are above zero for any one token.

Weights drawn at random leave half of them above zero. Here some channels hold one constant along the whole residual stream, and
`wi` subtracts enough of it.
"""

import torch
from transformers import T5Config, T5ForConditionalGeneration

# With fewer channels or a lower level, `wi` needs outliers there, which int8 with one scale for each row cannot hold.
CHANNELS = 16
LEVEL = 4.0
# Of normal numbers 3 % give together an eighth of what half of them do (5 % a sixth); without this the text hardly varies.
GAIN = 8
# As many as the bench has: attention over more ids averages more, and then other units are active.
SEQUENCES, SOURCE_IDS, DECODER_IDS = 4, 64, 128


def make_lazy(config, state, share):
    """Changes `state`, whose values bfloat16 holds, so that `share` of the units is above zero in every layer. They stay such values."""
    state["shared.weight"][:, :CHANNELS] = LEVEL
    for name, tensor in state.items():
        if name.endswith((".o.weight", ".wo.weight")):
            tensor[:CHANNELS] = 0  # nothing is added to the constant
        if name.endswith(".wo.weight"):
            tensor *= GAIN
    state["decoder.final_layer_norm.weight"][:CHANNELS] = 0  # it reaches no logit, so those of pad and EOS stay 0
    model = T5ForConditionalGeneration(T5Config(**config)).eval()
    model.load_state_dict(state, strict=False)  # the embeddings' other names are tied to `shared`
    generator = torch.Generator().manual_seed(2)
    layers = {name: layer for name, layer in model.named_modules() if name.endswith("DenseReluDense")}
    hooks = [layer.register_forward_pre_hook(calibrate(share)) for layer in layers.values()]
    forward(model, generator)
    for hook in hooks:
        hook.remove()
    for name, layer in layers.items():
        state[f"{name}.wi.weight"] = layer.wi.weight.detach().clone()
    check(measure(model, layers, generator), share)


def forward(model, generator):
    """One pass over random ids. The decoder's begin with the start token, as they do when it generates."""
    vocabulary = model.config.vocab_size
    source, target = (
        torch.randint(2, vocabulary, (SEQUENCES, n), generator=generator) for n in (SOURCE_IDS, DECODER_IDS)
    )
    target[:, 0] = model.config.decoder_start_token_id
    with torch.inference_mode():
        model(input_ids=source, decoder_input_ids=target)


def calibrate(share):
    """A hook that sets the constant's columns of `wi`, before the layer runs and the next one sees what it gives."""

    def hook(layer, inputs):
        x, weight = inputs[0], layer.wi.weight
        products = x[..., CHANNELS:] @ weight[:, CHANNELS:].T
        thresholds = products / x[..., :CHANNELS].sum(-1, keepdim=True)
        column = -thresholds.flatten().sort().values[round(thresholds.numel() * (1 - share))]
        weight.data[:, :CHANNELS] = column.to(torch.bfloat16).float()

    return hook


def measure(model, layers, generator):
    """Each layer's share of units above zero, with ids that `calibrate` has not seen."""
    shares = {}

    def hook_of(name):
        return lambda act, inputs, output: shares.update({name: (output > 0).float().mean().item()})

    hooks = [layer.act.register_forward_hook(hook_of(name)) for name, layer in layers.items()]
    forward(model, generator)
    for hook in hooks:
        hook.remove()
    return shares


def check(shares, share):
    for side in ("encoder", "decoder"):
        own = [100 * value for name, value in shares.items() if name.startswith(side)]
        print(f"  {side}, % of units active by layer: {' '.join(f'{value:.1f}' for value in own)}")
        mean = sum(own) / len(own) / 100
        if not share / 1.5 < mean < share * 1.5:
            raise SystemExit(f"{side}: expected about {100 * share:.1f} % of the units to be active, found {100 * mean:.1f} %")
