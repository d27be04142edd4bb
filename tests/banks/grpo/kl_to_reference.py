# Answers to kl_to_reference: the mean over live steps of exp(d) - d - 1, the reference a constant.

# %% right: live steps by index
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = ref_log_probs[live].detach() - log_probs[live]
    return (d.exp() - d - 1).mean()


# %% right: the inputs cleaned by where
def kl_to_reference(log_probs, ref_log_probs, mask):
    zero = torch.zeros_like(log_probs)
    d = torch.where(mask > 0, ref_log_probs.detach(), zero) - torch.where(mask > 0, log_probs, zero)
    return ((torch.exp(d) - d - 1) * mask).sum() / mask.sum()


# %% right: masked_fill and expm1
def kl_to_reference(log_probs, ref_log_probs, mask):
    padded = mask == 0
    d = ref_log_probs.detach().masked_fill(padded, 0.0) - log_probs.masked_fill(padded, 0.0)
    return (torch.expm1(d) - d).sum() / mask.sum()


# %% right: a loop over episodes
def kl_to_reference(log_probs, ref_log_probs, mask):
    total, steps = 0.0, 0
    for i in range(mask.shape[1]):
        length = int(mask[:, i].sum())
        d = ref_log_probs[:length, i].detach() - log_probs[:length, i]
        total = total + (torch.exp(d) - 1 - d).sum()
        steps += length
    return total / steps


# %% right: masked_select
def kl_to_reference(log_probs, ref_log_probs, mask):
    new = torch.masked_select(log_probs, mask.bool())
    with torch.no_grad():
        ref = torch.masked_select(ref_log_probs, mask.bool())
    return torch.mean(torch.exp(ref - new) - (ref - new) - 1)


# %% right: the indices of the live steps
def kl_to_reference(log_probs, ref_log_probs, mask):
    t, i = torch.nonzero(mask, as_tuple=True)
    log_ratio = log_probs[t, i] - ref_log_probs.detach()[t, i]
    return (1 / log_ratio.exp() + log_ratio - 1).mean()


# %% right: nan_to_num with a mask in double precision
def kl_to_reference(log_probs, ref_log_probs, mask):
    new = torch.where(mask.bool(), log_probs, torch.tensor(0.0, dtype=log_probs.dtype)).double()
    ref = torch.where(mask.bool(), ref_log_probs, torch.tensor(0.0, dtype=log_probs.dtype)).detach().double()
    kept = (torch.exp(ref - new) - (ref - new) - 1).flatten() @ mask.double().flatten()
    return kept / mask.sum()


# %% wrong: the plain log-ratio
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    return (log_probs[live] - ref_log_probs.detach()[live]).mean()


# %% wrong: half the square
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = ref_log_probs.detach()[live] - log_probs[live]
    return (d**2).mean() / 2


# %% wrong: d the wrong way round
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = log_probs[live] - ref_log_probs.detach()[live]
    return (d.exp() - d - 1).mean()


# %% wrong: without minus one
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = ref_log_probs.detach()[live] - log_probs[live]
    return (d.exp() - d).mean()


# %% wrong: plus d
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = ref_log_probs.detach()[live] - log_probs[live]
    return (d.exp() + d - 1).mean()


# %% wrong: negated
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = ref_log_probs.detach()[live] - log_probs[live]
    return -(d.exp() - d - 1).mean()


# %% wrong: weighted by the ratio (the other estimator)
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = ref_log_probs.detach()[live] - log_probs[live]
    return ((d.exp() - 1) - d * d.exp()).mean()


# %% wrong: multiplied by the mask
def kl_to_reference(log_probs, ref_log_probs, mask):
    d = ref_log_probs.detach() - log_probs
    return ((d.exp() - d - 1) * mask).sum() / mask.sum()


# %% wrong: where on the result
def kl_to_reference(log_probs, ref_log_probs, mask):
    d = ref_log_probs.detach() - log_probs
    kl = torch.where(mask > 0, d.exp() - d - 1, torch.zeros_like(d))
    return kl.sum() / mask.sum()


# %% wrong: nan_to_num
def kl_to_reference(log_probs, ref_log_probs, mask):
    d = torch.nan_to_num(ref_log_probs.detach() - log_probs)
    return ((d.exp() - d - 1) * mask).sum() / mask.sum()


# %% wrong: only the log-probabilities cleaned
def kl_to_reference(log_probs, ref_log_probs, mask):
    d = ref_log_probs.detach() - log_probs.masked_fill(mask == 0, 0.0)
    return ((d.exp() - d - 1) * mask).sum() / mask.sum()


# %% wrong: divided by T * N
def kl_to_reference(log_probs, ref_log_probs, mask):
    d = (ref_log_probs.detach() - log_probs).masked_fill(mask == 0, 0.0)
    return (d.exp() - d - 1).mean()


# %% wrong: summed
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = ref_log_probs.detach()[live] - log_probs[live]
    return (d.exp() - d - 1).sum()


# %% wrong: divided by the number of episodes
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = ref_log_probs.detach()[live] - log_probs[live]
    return (d.exp() - d - 1).sum() / mask.shape[1]


# %% wrong: the mean of each episode's mean
def kl_to_reference(log_probs, ref_log_probs, mask):
    d = ref_log_probs.detach().masked_fill(mask == 0, 0.0) - log_probs.masked_fill(mask == 0, 0.0)
    return ((d.exp() - d - 1).sum(0) / mask.sum(0)).mean()


# %% wrong: the padding counted
def kl_to_reference(log_probs, ref_log_probs, mask):
    d = ref_log_probs.detach() - log_probs
    return (d.exp() - d - 1).mean()


# %% wrong: the reference not a constant
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = ref_log_probs[live] - log_probs[live]
    return (d.exp() - d - 1).mean()


# %% wrong: log_probs a constant
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = ref_log_probs[live] - log_probs.detach()[live]
    return (d.exp() - d - 1).mean()


# %% wrong: the exponential a constant
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = ref_log_probs.detach()[live] - log_probs[live]
    return (d.exp().detach() - d - 1).mean()


# %% wrong: no gradient
@torch.no_grad()
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = ref_log_probs[live] - log_probs[live]
    return (d.exp() - d - 1).mean()


# %% wrong: a Python number
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = ref_log_probs.detach()[live] - log_probs[live]
    return (d.exp() - d - 1).mean().item()


# %% wrong: NumPy
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = np.asarray(mask) > 0
    d = ref_log_probs.detach().numpy()[live] - log_probs.detach().numpy()[live]
    return np.mean(np.exp(d) - d - 1)


# %% wrong: exponential limited
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = (ref_log_probs.detach()[live] - log_probs[live]).clamp(-2, 2)
    return (d.exp() - d - 1).mean()


# %% wrong: one number per step
def kl_to_reference(log_probs, ref_log_probs, mask):
    live = mask.bool()
    d = ref_log_probs.detach()[live] - log_probs[live]
    return d.exp() - d - 1


# %% wrong: fills the padding of the argument itself
def kl_to_reference(log_probs, ref_log_probs, mask):
    ref_log_probs[mask == 0] = 0.0
    new = log_probs.masked_fill(mask == 0, 0.0)
    d = ref_log_probs.detach() - new
    return ((d.exp() - d - 1) * mask).sum() / mask.sum()


# %% wrong: float32 fixed
def kl_to_reference(log_probs, ref_log_probs, mask):
    weights = torch.ones(mask.numel(), dtype=torch.float32) * mask.flatten()
    d = ref_log_probs.detach().masked_fill(mask == 0, 0.0) - log_probs.masked_fill(mask == 0, 0.0)
    return torch.dot((d.exp() - d - 1).flatten(), weights.float()) / mask.sum()


# %% wrong: no return statement
def kl_to_reference(log_probs, ref_log_probs, mask):
    d = ref_log_probs - log_probs
