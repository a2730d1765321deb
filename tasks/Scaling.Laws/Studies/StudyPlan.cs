// Which runs to buy with what is left of a budget, and what they will tell: the design that makes the expected regret of the pick at the target least.
namespace Scaling.Laws;

/// <summary>A run that could be bought.</summary>
/// <param name="Point">What would be run.</param>
/// <param name="Cost">In the budget's unit, > 0.</param>
/// <param name="Most">How often, with a seed each.</param>
public sealed record StudyCandidate(StudyPoint Point, double Cost, int Most);

/// <summary>What a plan is expected to end with.</summary>
/// <param name="Budget">Spent from now on, in the budget's unit.</param>
/// <param name="Runs">Expected number of runs, a fraction too.</param>
/// <param name="XError">Standard error of ln x* at the target.</param>
/// <param name="RatioError">Standard error of ln r*.</param>
/// <param name="Regret">Expected loss of the pick less that of the best shape, nats a token, ≥ 0: from what is not known of the optimum alone.</param>
public sealed record StudyForecast(double Budget, double Runs, double XError, double RatioError, double Regret);

/// <summary>
/// An approximate design (Kiefer; numbers of runs may be fractions), A-optimal for ln x* and ln r* at the target weighed by the curvatures there: to second order the expected regret is
/// ½·L·(a·Var ln x* + b·Var ln r*). Found by the multiplicative algorithm with exponent ½ (Silvey, Titterington, Torsney 1978; Yu 2010), each run weighed by its cost, and averaged over parameters drawn
/// from the belief, since where a run is informative depends on where the optimum is.
/// </summary>
public sealed class StudyPlan
{
    private const int DrawsAveraged = 12;
    private const int MostSteps = 150;
    private readonly StudyBelief _belief;
    private readonly IReadOnlyList<StudyCandidate> _candidates;
    private readonly double[] _runs;

    private StudyPlan(StudyBelief belief, IReadOnlyList<StudyCandidate> candidates, double[] runs, StudyForecast forecast)
    {
        (_belief, _candidates, _runs, Forecast) = (belief, candidates, runs, forecast);
    }

    /// <summary>Expected numbers of runs of each candidate, in their order.</summary>
    public IReadOnlyList<double> Runs => _runs;

    /// <summary>What it will tell.</summary>
    public StudyForecast Forecast { get; }

    /// <summary>The best plan for a budget.</summary>
    /// <param name="belief">What is known now.</param>
    /// <param name="target">N at which a shape is to be picked.</param>
    /// <param name="candidates">At least one.</param>
    /// <param name="budget">≥ 0; of 0 nothing is bought, and the forecast is what is known now.</param>
    public static StudyPlan Of(StudyBelief belief, double target, IReadOnlyList<StudyCandidate> candidates, double budget)
    {
        var problem = new Problem(belief, target, candidates);
        double[] runs = problem.Solve(budget);
        return new StudyPlan(belief, candidates, runs, problem.Forecast(runs));
    }

    /// <summary>What some runs will tell.</summary>
    /// <param name="belief">What is known now.</param>
    /// <param name="target">N at which a shape is to be picked.</param>
    /// <param name="candidates">At least one.</param>
    /// <param name="runs">How often each is run, in their order.</param>
    public static StudyForecast Expect(StudyBelief belief, double target, IReadOnlyList<StudyCandidate> candidates, IReadOnlyList<double> runs) =>
        new Problem(belief, target, candidates).Forecast([.. runs]);

    /// <summary>
    /// The next runs of the plan: of each size in turn the one that is least far in its part of it, the cheapest of those that are alike. So a dear size waits until the cheap ones have told where its few runs are
    /// spent best, and not until they have told all they can; the plan is made anew after each round.
    /// </summary>
    /// <param name="count">At most so many, at least 1.</param>
    /// <param name="budget">What they may cost together.</param>
    /// <returns>Indexes of candidates, one a run; empty where nothing of the plan can be bought.</returns>
    public IReadOnlyList<int> Next(int count, double budget)
    {
        var sizes = Enumerable.Range(0, _runs.Length).GroupBy(i => _candidates[i].Point.Class)
            .Select(g => new Part([.. g], g.Sum(i => _runs[i]), _belief.ResultsOf(g.Key), g.Min(i => _candidates[i].Cost))).OrderBy(p => p.Cheapest).ToList();
        int[] take = new int[sizes.Count];
        for (int left = count; left > 0;)
        {
            int next = Enumerable.Range(0, sizes.Count).Where(s => Step(s) <= left && take[s] + Step(s) <= sizes[s].Planned + 0.5).DefaultIfEmpty(-1).MinBy(s => s < 0 ? 0 : sizes[s].Progress(take[s]));
            if (next < 0)
            {
                break;
            }

            int step = Step(next);
            take[next] += step;
            left -= step;
        }

        var chosen = new List<int>();
        double money = budget;
        for (int s = 0; s < sizes.Count; s++)
        {
            // Systematic sampling: the k-th run stands where the planned numbers add up to (k − ½)/take of their sum.
            double sum = 0;
            int next = 0;
            foreach (int i in sizes[s].Members)
            {
                sum += _runs[i];
                while (next < take[s] && sum >= (next + 0.5) * sizes[s].Planned / take[s] - 1e-12 && _candidates[i].Cost <= money)
                {
                    chosen.Add(i);
                    money -= _candidates[i].Cost;
                    next++;
                }
            }
        }

        return chosen.Count > 0 ? chosen : Last(budget);

        int Step(int s) => sizes[s].Done + take[s] == 0 ? 2 : 1; // One run of a size only tells its level.
    }

    /// <summary>What a plan has for one size and budget.</summary>
    private sealed record Part(int[] Members, double Planned, int Done, double Cheapest)
    {
        /// <summary>How far it would be in the middle of its next run, of what is done and planned.</summary>
        public double Progress(int taken) => (Done + taken + 0.5) / (Done + Planned);
    }

    /// <summary>Where no size is planned for as much as half a run: the run on which the plan spends most, of those that can be paid and are no first of their size.</summary>
    private int[] Last(double budget)
    {
        int[] payable = [.. Enumerable.Range(0, _runs.Length).Where(i => _runs[i] > 0 && _candidates[i].Cost <= budget && (_belief.Results == 0 || _belief.Classes.Contains(_candidates[i].Point.Class)))];
        return payable.Length == 0 ? [] : [payable.MaxBy(i => _runs[i] * _candidates[i].Cost)];
    }

    /// <summary>The design problem with everything that does not change while it is solved.</summary>
    private sealed class Problem
    {
        private readonly StudyBelief _belief;
        private readonly IReadOnlyList<StudyCandidate> _candidates;
        private readonly double[][] _draws;
        private readonly double[,] _known;
        private readonly int[] _level;
        private readonly ValleyPoint[] _at;
        private readonly double[] _weight; // 1/σ² of a run.
        private readonly double[][] _gradients; // Of draw and candidate: draws × candidates, Valley.Count numbers each.
        private readonly double[] _towards; // ∂ ln x*/∂ parameters at the target, without the axis's offset: optimum 1, drift ln N.
        private readonly int _size;

        public Problem(StudyBelief belief, double target, IReadOnlyList<StudyCandidate> candidates)
        {
            (_belief, _candidates) = (belief, candidates);
            (double, double)[] classes = [.. belief.Classes.Concat(candidates.Select(c => c.Point.Class)).Distinct()];
            _known = belief.Information(classes);
            _size = StudyBelief.LevelOf(classes.Length);
            _level = [.. candidates.Select(c => StudyBelief.LevelOf(Array.IndexOf(classes, c.Point.Class)))];
            _weight = [.. candidates.Select(c => Math.Pow(belief.NoiseAt(c.Point.Size, c.Point.BudgetShare), -2))];
            _at = [.. candidates.Select(c => StudyBelief.At(belief.Prior, c.Point))];
            _draws = [.. belief.Draws(DrawsAveraged)];
            _towards = new double[Valley.Axis];
            (_towards[Valley.Optimum], _towards[Valley.Drift]) = (1, Math.Log(target / belief.Prior.ReferenceSize));
            _gradients = [.. _draws.Select(Gradients)];
        }

        private double[] Gradients(double[] draw)
        {
            double[] all = new double[_candidates.Count * Valley.Count];
            for (int i = 0; i < _candidates.Count; i++)
            {
                Valley.Gradient(draw, _at[i], all.AsSpan(i * Valley.Count, Valley.Count));
            }

            return all;
        }

        public double[] Solve(double budget)
        {
            double[] cost = [.. _candidates.Select(c => c.Cost)], most = [.. _candidates.Select(c => (double)c.Most)];
            double[] runs = new double[cost.Length];
            if (budget <= 0)
            {
                return runs;
            }

            if (cost.Zip(most, (c, m) => c * m).Sum() <= budget)
            {
                return most;
            }

            for (int i = 0; i < runs.Length; i++)
            {
                runs[i] = budget / cost.Length / cost[i];
            }

            Spend(runs, cost, most, budget);
            double[] gain = new double[cost.Length];
            for (int step = 0; step < MostSteps; step++)
            {
                Gains(runs, gain);
                double change = 0;
                for (int i = 0; i < runs.Length; i++)
                {
                    double factor = Math.Sqrt(gain[i] / cost[i]);
                    gain[i] = runs[i] * factor;
                }

                double spent = gain.Zip(cost, (g, c) => g * c).Sum();
                for (int i = 0; i < runs.Length; i++)
                {
                    double next = gain[i] * budget / spent;
                    change = Math.Max(change, Math.Abs(next - runs[i]) * cost[i] / budget);
                    runs[i] = next < 1e-7 * budget / cost[i] ? 0 : next; // What is not worth a ten-millionth of the budget never comes back.
                }

                Spend(runs, cost, most, budget);
                if (change < 1e-4)
                {
                    break;
                }
            }

            return runs;
        }

        /// <summary>Keeps within the seeds that there are, and gives what that frees to the others.</summary>
        private static void Spend(double[] runs, double[] cost, double[] most, double budget)
        {
            for (int turn = 0; turn < 20; turn++)
            {
                double bound = 0, free = 0;
                for (int i = 0; i < runs.Length; i++)
                {
                    runs[i] = Math.Min(runs[i], most[i]);
                    (bound, free) = runs[i] >= most[i] ? (bound + runs[i] * cost[i], free) : (bound, free + runs[i] * cost[i]);
                }

                if (free <= 0 || Math.Abs(bound + free - budget) <= 1e-9 * budget)
                {
                    break;
                }

                double factor = (budget - bound) / free;
                for (int i = 0; i < runs.Length; i++)
                {
                    runs[i] = runs[i] >= most[i] ? runs[i] : runs[i] * factor;
                }
            }
        }

        /// <summary>How much a further run of each candidate lowers the expected regret, up to a common factor.</summary>
        private void Gains(double[] runs, double[] gain)
        {
            Array.Clear(gain);
            for (int s = 0; s < _draws.Length; s++)
            {
                var (x, ratio, a, b) = Directions(s, runs);
                double[] gradients = _gradients[s];
                for (int i = 0; i < gain.Length; i++)
                {
                    if (runs[i] == 0)
                    {
                        continue;
                    }

                    double alongX = x[_level[i]] + _at[i].Miss * x[_level[i] + 1], alongRatio = ratio[_level[i]] + _at[i].Miss * ratio[_level[i] + 1];
                    int at = i * Valley.Count;
                    for (int k = 0; k < Valley.Count; k++)
                    {
                        alongX += gradients[at + k] * x[k];
                        alongRatio += gradients[at + k] * ratio[k];
                    }

                    gain[i] += _weight[i] * (a * alongX * alongX + b * alongRatio * alongRatio);
                }
            }
        }

        public StudyForecast Forecast(double[] runs)
        {
            double[] x = new double[_draws.Length], ratio = new double[_draws.Length];
            double regret = 0;
            for (int s = 0; s < _draws.Length; s++)
            {
                var (alongX, alongRatio, a, b) = Directions(s, runs);
                double varianceX = Dot(alongX, 0), varianceRatio = Dot(alongRatio, Valley.Axis);
                (x[s], ratio[s]) = (Math.Sqrt(varianceX), Math.Sqrt(varianceRatio));
                regret += (a * varianceX + b * varianceRatio) / 2 * _belief.Prior.Level / _draws.Length;
            }

            return new StudyForecast(runs.Zip(_candidates, (r, c) => r * c.Cost).Sum(), runs.Sum(), Quantiles.Median(x), Quantiles.Median(ratio), regret);
        }

        private double Dot(double[] direction, int axis) => _towards[Valley.Optimum] * direction[axis + Valley.Optimum] + _towards[Valley.Drift] * direction[axis + Valley.Drift];

        /// <summary>The covariance times the derivatives of ln x* and ln r* at the target, of one draw; with the curvatures there.</summary>
        private (double[] X, double[] Ratio, double A, double B) Directions(int draw, double[] runs)
        {
            double[,] information = (double[,])_known.Clone();
            for (int i = 0; i < runs.Length; i++)
            {
                if (runs[i] > 0)
                {
                    Symmetric.AddOuter(information, _gradients[draw].AsSpan(i * Valley.Count, Valley.Count), _level[i], _at[i].Miss, _weight[i] * runs[i]);
                }
            }

            double[] x = new double[_size], ratio = new double[_size];
            _towards.CopyTo(x, 0);
            _towards.CopyTo(ratio, Valley.Axis);
            double[] p = _draws[draw];
            return (Symmetric.Solve(information, x)!, Symmetric.Solve(information, ratio)!, Math.Exp(p[Valley.Curvature]), Math.Exp(p[Valley.Axis + Valley.Curvature]));
        }
    }
}
