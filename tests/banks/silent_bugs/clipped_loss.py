# Answers to clipped_loss: minus the mean of min(ratio * A, clip(ratio) * A), old policy and A constants.

# %% right: torch.min
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio = (log_probs - old_log_probs.detach()).exp()
    a = advantages.detach()
    return -torch.min(ratio * a, ratio.clip(1 - clip, 1 + clip) * a).mean()


# %% right: the larger of two losses
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    with torch.no_grad():
        old, a = old_log_probs.clone(), advantages.clone()
    ratio = torch.exp(log_probs - old)
    return torch.maximum(-ratio * a, -torch.clamp(ratio, 1 - clip, 1 + clip) * a).mean()


# %% right: by the sign of the advantage
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    a = advantages.detach()
    ratio = torch.exp(log_probs - old_log_probs.detach())
    bounded = torch.where(a > 0, ratio.clamp(max=1 + clip), ratio.clamp(min=1 - clip))
    return -(bounded * a).sum() / len(a)


# %% right: a limit that depends on the advantage
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    a = advantages.detach()
    limit = a + clip * a.abs()
    return -torch.minimum(torch.exp(log_probs - old_log_probs.detach()) * a, limit).mean()


# %% right: a loop
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    terms = []
    for new, old, a in zip(log_probs, old_log_probs.tolist(), advantages.tolist()):
        ratio = torch.exp(new - old)
        terms.append(torch.min(ratio * a, ratio.clamp(1 - clip, 1 + clip) * a))
    return -torch.stack(terms).mean()


# %% right: a quotient of probabilities
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio = log_probs.exp() / old_log_probs.exp().detach()
    products = torch.stack([ratio, ratio.clamp(1 - clip, 1 + clip)]) * advantages.detach()
    return -products.min(dim=0).values.mean()


# %% wrong: the broken one
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    old_log_probs = log_probs.detach()
    ratio = torch.exp(log_probs - old_log_probs)
    clipped = ratio.clamp(1 - clip, 1 + clip)
    return -torch.minimum(ratio * advantages, clipped * advantages).mean()


# %% wrong: the maximum
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio, a = (log_probs - old_log_probs.detach()).exp(), advantages.detach()
    return -torch.max(ratio * a, ratio.clamp(1 - clip, 1 + clip) * a).mean()


# %% wrong: always clipped
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio = (log_probs - old_log_probs.detach()).exp()
    return -(ratio.clamp(1 - clip, 1 + clip) * advantages.detach()).mean()


# %% wrong: never clipped
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio = (log_probs - old_log_probs.detach()).exp()
    return -(ratio * advantages.detach()).mean()


# %% wrong: the ratio upside down
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio, a = (old_log_probs.detach() - log_probs).exp(), advantages.detach()
    return -torch.min(ratio * a, ratio.clamp(1 - clip, 1 + clip) * a).mean()


# %% wrong: the old policy is no constant
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio, a = (log_probs - old_log_probs).exp(), advantages.detach()
    return -torch.min(ratio * a, ratio.clamp(1 - clip, 1 + clip) * a).mean()


# %% wrong: the advantages are no constants
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio = (log_probs - old_log_probs.detach()).exp()
    return -torch.min(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages).mean()


# %% wrong: the new policy is the constant
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio, a = (log_probs.detach() - old_log_probs).exp(), advantages.detach()
    return -torch.min(ratio * a, ratio.clamp(1 - clip, 1 + clip) * a).mean()


# %% wrong: the sign
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio, a = (log_probs - old_log_probs.detach()).exp(), advantages.detach()
    return torch.min(ratio * a, ratio.clamp(1 - clip, 1 + clip) * a).mean()


# %% wrong: a sum
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio, a = (log_probs - old_log_probs.detach()).exp(), advantages.detach()
    return -torch.min(ratio * a, ratio.clamp(1 - clip, 1 + clip) * a).sum()


# %% wrong: a range between c and 1 + c
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio, a = (log_probs - old_log_probs.detach()).exp(), advantages.detach()
    return -torch.min(ratio * a, ratio.clamp(clip, 1 + clip) * a).mean()


# %% wrong: a fixed range
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio, a = (log_probs - old_log_probs.detach()).exp(), advantages.detach()
    return -torch.min(ratio * a, ratio.clamp(0.8, 1.2) * a).mean()


# %% wrong: clipped above only
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio, a = (log_probs - old_log_probs.detach()).exp(), advantages.detach()
    return -torch.min(ratio * a, ratio.clamp(max=1 + clip) * a).mean()


# %% wrong: the differences are clipped
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    d, a = log_probs - old_log_probs.detach(), advantages.detach()
    return -torch.min(d.exp() * a, d.clamp(-clip, clip).exp() * a).mean()


# %% wrong: no exponential
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio, a = 1 + log_probs - old_log_probs.detach(), advantages.detach()
    return -torch.min(ratio * a, ratio.clamp(1 - clip, 1 + clip) * a).mean()


# %% wrong: the minimum of the ratios
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio = (log_probs - old_log_probs.detach()).exp()
    return -(torch.min(ratio, ratio.clamp(1 - clip, 1 + clip)) * advantages.detach()).mean()


# %% wrong: the minimum of the means
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio, a = (log_probs - old_log_probs.detach()).exp(), advantages.detach()
    return -torch.min((ratio * a).mean(), (ratio.clamp(1 - clip, 1 + clip) * a).mean())


# %% wrong: REINFORCE
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    return -(log_probs * advantages.detach()).mean()


# %% wrong: normalised advantages
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    a = (advantages - advantages.mean()).detach()
    a = a / (advantages.std(correction=0) + 1e-8)
    ratio = (log_probs - old_log_probs.detach()).exp()
    return -torch.min(ratio * a, ratio.clamp(1 - clip, 1 + clip) * a).mean()


# %% wrong: a Python number
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio, a = (log_probs - old_log_probs.detach()).exp(), advantages.detach()
    return -torch.min(ratio * a, ratio.clamp(1 - clip, 1 + clip) * a).mean().item()


# %% wrong: no return statement
def clipped_loss(log_probs, old_log_probs, advantages, clip=0.2):
    ratio = (log_probs - old_log_probs.detach()).exp()
