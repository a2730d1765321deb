// A world whose law is drawn around the published constants, to see how well a study decides in it.
using Scaling.Laws;

namespace Scaling.Benchmarks;

/// <summary>
/// ln L = ln(E + A/N^α + B/D^β) + ln(1 + a·φ(x/x*)) + ln(1 + b·φ(r/r*)) + noise, φ(u) = ln u + 1/u − 1, the published form, with optima that drift along ln N and along
/// ln D/N. Drawn per world: the base law, both curvatures, both optima, their drifts, and the noise.
/// </summary>
internal sealed class DesignWorld
{
    private readonly ChinchillaLaw _base;
    private readonly double _curvatureX;
    private readonly double _curvatureRatio;
    private readonly double _x;
    private readonly double _ratio;
    private readonly double _driftX;
    private readonly double _driftRatio;
    private readonly double _noise;
    private readonly double _budgetDriftX;
    private readonly double _budgetDriftRatio;
    private readonly int _seed;

    /// <summary>N at which <see cref="_x"/> and <see cref="_ratio"/> are the optima: the geometric mean of the published fit's sizes.</summary>
    private const double Reference = 151e6;

    /// <summary>Draws a world.</summary>
    /// <param name="seed">Of the study.</param>
    /// <param name="number">Of the world.</param>
    public DesignWorld(int seed, int number)
    {
        _seed = seed * 100_003 + number;
        var random = new Random(_seed);
        double Normal() => Draw(random);
        double Around(double middle, double spread) => middle * Math.Exp(spread * Normal());
        var prior = StudyPrior.Published(0.001);
        _base = new ChinchillaLaw(Around(1.69, 0.1), Around(406.4, 0.2), Around(410.7, 0.2), Around(0.34, 0.05), Around(0.28, 0.05));
        _curvatureX = Around(Math.Exp(prior.X.Curvature.Mean), 0.5);
        _curvatureRatio = Around(Math.Exp(prior.Ratio.Curvature.Mean), 0.4);
        _x = Around(Math.Exp(prior.X.Optimum.Mean), 0.12);
        _ratio = Around(Math.Exp(prior.Ratio.Optimum.Mean), 0.25);
        _driftX = 0.04 * Normal();
        _driftRatio = 0.09 * Normal();
        _noise = LeastNoise * Math.Pow(MostNoise / LeastNoise, random.NextDouble()) / 2.8;
        _budgetDriftX = 0.04 * Normal();
        _budgetDriftRatio = 0.09 * Normal();
    }

    /// <summary>Tokens a parameter for which <see cref="_x"/> and <see cref="_ratio"/> are the optima; shorter runs have others.</summary>
    public const double TokensPerParameter = 100;

    /// <summary>The least standard deviation between seeds, nats a token: what two runs of a 1B model differ by at least.</summary>
    public const double LeastNoise = 0.0005;

    /// <summary>The greatest.</summary>
    public const double MostNoise = 0.005;

    /// <summary>The loss of a shape without noise, nats.</summary>
    /// <param name="parameters">N.</param>
    /// <param name="tokens">D.</param>
    /// <param name="x">d/√N.</param>
    /// <param name="ratio">r.</param>
    public double Loss(double parameters, double tokens, double x, double ratio)
    {
        double size = Math.Log(parameters / Reference), budget = Math.Log(tokens / parameters / TokensPerParameter);
        double u = Math.Log(x / _x) - _driftX * size - _budgetDriftX * budget, v = Math.Log(ratio / _ratio) - _driftRatio * size - _budgetDriftRatio * budget;
        double Height(double t) => t + Math.Exp(-t) - 1;
        return _base.Predict(parameters, tokens) * (1 + _curvatureX * Height(u)) * (1 + _curvatureRatio * Height(v));
    }

    /// <summary>The loss of one training run.</summary>
    /// <param name="parameters">N.</param>
    /// <param name="tokens">D.</param>
    /// <param name="x">d/√N.</param>
    /// <param name="ratio">r.</param>
    /// <param name="run">Number of the run in its study: the noise is another for each, and the same again.</param>
    public double Train(double parameters, double tokens, double x, double ratio, int run)
    {
        var random = new Random(unchecked((_seed * 1_000_003) ^ (run * 7919 + 17)));
        double z = Draw(random);
        return Loss(parameters, tokens, x, ratio) * Math.Exp(_noise * z);
    }

    /// <summary>True optimum at a size, of <see cref="TokensPerParameter"/>.</summary>
    /// <param name="parameters">N.</param>
    public (double LogX, double LogRatio) OptimumAt(double parameters) =>
        (Math.Log(_x) + _driftX * Math.Log(parameters / Reference), Math.Log(_ratio) + _driftRatio * Math.Log(parameters / Reference));

    /// <summary>A standard normal number.</summary>
    private static double Draw(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
