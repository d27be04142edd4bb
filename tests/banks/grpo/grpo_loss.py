# Answers to grpo_loss: minus the clipped surrogate, averaged over the live steps of the batch.

# %% right: live steps by index
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return -torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean()


# %% right: the inputs cleaned by where
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    zero = torch.zeros_like(log_probs)
    new = torch.where(mask > 0, log_probs, zero)
    old = torch.where(mask > 0, old_log_probs.detach(), zero)
    ratio = torch.exp(new - old)
    adv = advantages.detach()
    loss1 = -adv * ratio
    loss2 = -adv * torch.clamp(ratio, 1.0 - clip, 1.0 + clip)
    return (torch.max(loss1, loss2) * mask).sum() / mask.sum()


# %% right: the limit written with the sign of the advantage
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask > 0
    adv = advantages.detach().repeat(mask.shape[0], 1)[live]
    ratio = torch.exp(log_probs[live] - old_log_probs.detach()[live])
    limit = torch.where(adv >= 0, (1 + clip) * adv, (1 - clip) * adv)
    return -torch.minimum(ratio * adv, limit).sum() / live.sum()


# %% right: a loop over episodes
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    total, steps = 0.0, 0
    for i in range(mask.shape[1]):
        length = int(mask[:, i].sum())
        ratio = torch.exp(log_probs[:length, i] - old_log_probs[:length, i].detach())
        a = float(advantages[i])
        surrogate = torch.minimum(ratio * a, ratio.clip(1 - clip, 1 + clip) * a)
        total = total - surrogate.sum()
        steps += length
    return total / steps


# %% right: the gradient switched off by hand
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    padded = mask == 0
    with torch.no_grad():
        old = old_log_probs.masked_fill(padded, 0.0)
        adv = advantages.clone().unsqueeze(0)
    ratio = (log_probs.masked_fill(padded, 0.0) - old).exp()
    plain = ratio * adv
    bounded = ratio.clamp(min=1 - clip, max=1 + clip) * adv
    chosen = torch.where(plain < bounded, plain, bounded)
    return -(chosen * mask).sum().div(mask.sum())


# %% right: the smaller of two stacked
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    t, i = torch.nonzero(mask, as_tuple=True)
    ratio = torch.exp(log_probs[t, i] - old_log_probs.detach()[t, i])
    both = torch.stack([ratio, ratio.clamp(1 - clip, 1 + clip)]) * advantages.detach()[i]
    return -both.amin(dim=0).mean()


# %% right: masked_select, in double precision
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    new = torch.masked_select(log_probs, live).double()
    old = torch.masked_select(old_log_probs, live).detach().double()
    adv = torch.masked_select(advantages.detach(), live).double()
    ratio = torch.exp(new - old)
    return torch.mean(torch.maximum(-adv * ratio, -adv * torch.clip(ratio, 1 - clip, 1 + clip)))


# %% wrong: no minimum, only the clipped term
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return -(torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean()


# %% wrong: no clipping
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return -(ratio * adv).mean()


# %% wrong: maximum for minimum
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return -torch.max(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean()


# %% wrong: minimum of the ratios, before the advantage
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return -(torch.min(ratio, torch.clamp(ratio, 1 - clip, 1 + clip)) * adv).mean()


# %% wrong: sign
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean()


# %% wrong: minimum of the negated terms
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return torch.min(-ratio * adv, -torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean()


# %% wrong: clipped above only
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return -torch.min(ratio * adv, torch.clamp(ratio, max=1 + clip) * adv).mean()


# %% wrong: a clip range of its own
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return -torch.min(ratio * adv, torch.clamp(ratio, 0.8, 1.2) * adv).mean()


# %% wrong: clipped between 1 / (1 + clip) and 1 + clip
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return -torch.min(ratio * adv, torch.clamp(ratio, 1 / (1 + clip), 1 + clip) * adv).mean()


# %% wrong: the logarithm of the ratio clipped
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    difference = log_probs[live] - old_log_probs[live].detach()
    adv = advantages.detach().expand(mask.shape)[live]
    return -torch.min(difference.exp() * adv, difference.clamp(-clip, clip).exp() * adv).mean()


# %% wrong: another default of clip
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.1):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return -torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean()


# %% wrong: the ratio the wrong way round
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (old_log_probs[live].detach() - log_probs[live]).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return -torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean()


# %% wrong: the ratio of the log-probabilities
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = log_probs[live] / old_log_probs[live].detach()
    adv = advantages.detach().expand(mask.shape)[live]
    return -torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean()


# %% wrong: the difference of the log-probabilities
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = 1 + log_probs[live] - old_log_probs[live].detach()
    adv = advantages.detach().expand(mask.shape)[live]
    return -torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean()


# %% wrong: REINFORCE without a ratio
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    adv = advantages.detach().expand(mask.shape)[live]
    return -(log_probs[live] * adv).mean()


# %% wrong: old_log_probs not a constant
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live]).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return -torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean()


# %% wrong: advantages not constant
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.expand(mask.shape)[live]
    return -torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean()


# %% wrong: the ratio a constant
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live]).exp().detach()
    adv = advantages.detach().expand(mask.shape)[live]
    return -(torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv) * log_probs[live]).mean()


# %% wrong: multiplied by the mask
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    ratio = (log_probs - old_log_probs.detach()).exp()
    adv = advantages.detach()
    surrogate = torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv)
    return -(surrogate * mask).sum() / mask.sum()


# %% wrong: where on the result
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    ratio = (log_probs - old_log_probs.detach()).exp()
    adv = advantages.detach()
    surrogate = torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv)
    return -torch.where(mask > 0, surrogate, torch.zeros_like(surrogate)).sum() / mask.sum()


# %% wrong: where on the ratio
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    ratio = (log_probs - old_log_probs.detach()).exp()
    ratio = torch.where(mask > 0, ratio, torch.ones_like(ratio))
    adv = advantages.detach()
    surrogate = torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv)
    return -(surrogate * mask).sum() / mask.sum()


# %% wrong: nansum
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    ratio = (log_probs - old_log_probs.detach()).exp()
    adv = advantages.detach()
    surrogate = torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv)
    return -torch.nansum(surrogate * mask) / mask.sum()


# %% wrong: only log_probs cleaned
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    ratio = (log_probs.masked_fill(mask == 0, 0.0) - old_log_probs.detach()).exp()
    adv = advantages.detach()
    surrogate = torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv)
    return -(surrogate * mask).sum() / mask.sum()


# %% wrong: divided by T * N
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    padded = mask == 0
    ratio = (log_probs.masked_fill(padded, 0.0) - old_log_probs.detach().masked_fill(padded, 0.0)).exp()
    adv = advantages.detach()
    surrogate = torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv)
    return -(surrogate * mask).mean()


# %% wrong: divided by the number of episodes
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return -torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).sum() / mask.shape[1]


# %% wrong: the mean of each episode's mean
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    padded = mask == 0
    ratio = (log_probs.masked_fill(padded, 0.0) - old_log_probs.detach().masked_fill(padded, 0.0)).exp()
    adv = advantages.detach()
    surrogate = torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv)
    return -((surrogate * mask).sum(0) / mask.sum(0)).mean()


# %% wrong: the padding counted
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    ratio = (log_probs - old_log_probs.detach()).exp()
    adv = advantages.detach()
    return -torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean()


# %% wrong: an advantage for each row
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach()[:, None].expand(mask.shape)[live]
    return -torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean()


# %% wrong: summed log-ratios of the episode
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    padded = mask == 0
    difference = log_probs.masked_fill(padded, 0.0) - old_log_probs.detach().masked_fill(padded, 0.0)
    ratio = difference.sum(0).exp()
    adv = advantages.detach()
    return -torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean()


# %% wrong: summed instead of averaged
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return -torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).sum()


# %% wrong: advantages normalised again
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    return -torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean()


# %% wrong: a Python number
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return float(-torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv).mean())


# %% wrong: fills the padding of the argument itself
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    old_log_probs[mask == 0] = 0.0
    ratio = (log_probs.masked_fill(mask == 0, 0.0) - old_log_probs.detach()).exp()
    adv = advantages.detach()
    surrogate = torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv)
    return -(surrogate * mask).sum() / mask.sum()


# %% wrong: one number per step
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
    adv = advantages.detach().expand(mask.shape)[live]
    return -torch.min(ratio * adv, torch.clamp(ratio, 1 - clip, 1 + clip) * adv)


# %% wrong: no return statement
def grpo_loss(log_probs, old_log_probs, advantages, mask, clip=0.2):
    live = mask.bool()
    ratio = (log_probs[live] - old_log_probs[live].detach()).exp()
