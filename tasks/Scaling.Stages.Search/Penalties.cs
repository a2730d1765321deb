// What the user believes that axes without a fitted term cost.
using Scaling.Architectures;
using Scaling.Laws;

namespace Scaling.Stages.Search;

/// <summary>An axis that laws seldom have a term for.</summary>
/// <param name="Name">Of its setting.</param>
/// <param name="Of">Its value of a shape.</param>
/// <param name="Origin">Values of the law's runs; where they do not say, the baseline's or the candidates'.</param>
/// <param name="Nats">For every doubling away from the nearest of <paramref name="Origin"/>; null: no penalty is set.</param>
internal sealed record PenalisedAxis(string Name, Func<DecoderShape, double> Of, IReadOnlyList<double> Origin, double? Nats)
{
    /// <summary>Nats a token.</summary>
    public double Penalty(DecoderShape shape) => Nats is > 0 and { } nats ? nats * Origin.Min(o => Math.Abs(Math.Log2(Of(shape) / o))) : 0;
}

/// <summary>Penalties of all axes.</summary>
internal sealed record Penalties(IReadOnlyList<PenalisedAxis> Axes)
{
    /// <summary>From the settings.</summary>
    /// <param name="settings">Null: none.</param>
    /// <param name="runs">Where the law's runs lie.</param>
    /// <param name="otherwise">Whose values stand where the runs do not say theirs.</param>
    public static Penalties Of(PenaltySettings? settings, LawContext runs, DecoderShape otherwise)
    {
        PenalisedAxis Axis(string name, Func<DecoderShape, double> of, IReadOnlyList<double> seen, double? nats) => new(name, of, seen.Count > 0 ? seen : [of(otherwise)], nats);
        return new Penalties(
        [
            Axis("gqa", s => s.Gqa, runs.Gqa, settings?.Gqa),
            Axis("layers", s => s.Layers, runs.Layers, settings?.Layers),
            Axis("head_size", s => s.HeadSize, runs.HeadSize, settings?.HeadSize),
        ]);
    }

    /// <summary>The sum over the axes, nats a token.</summary>
    public double Of(DecoderShape shape) => Axes.Sum(a => a.Penalty(shape));

    /// <summary>Those that are set, by name.</summary>
    public IReadOnlyDictionary<string, double> Set => Axes.Where(a => a.Nats is not null).ToDictionary(a => a.Name, a => a.Nats!.Value);
}
