// export: what its figures draw, and that hovering tells what a point is.
using Scaling.Architectures;
using Scaling.Reports;
using Scaling.Stages.Export;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class StudyFigureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_laws_curve_has_the_interval_of_its_resamples_which_is_nothing_where_it_is_held_against_itself()
    {
        var curve = FigureOf(StudyOf(), ExportTables.LossAgainstX).Series[0];

        Assert.True(curve.Band);
        Assert.All(curve.Points, p => Assert.True(p.Low <= p.Y && p.Y <= p.High));
        var foot = curve.Points.MinBy(p => Math.Abs(p.X - 0.24))!;
        Assert.True(foot.High - foot.Low < 0.1 * (curve.Points[^1].High - curve.Points[^1].Low));
    }

    [Fact]
    public void A_law_without_resamples_has_a_curve_and_no_interval()
    {
        var study = StudyOf();
        var curve = FigureOf(study with { Law = study.Law! with { Resamples = [] } }, ExportTables.LossAgainstX).Series[0];

        Assert.False(curve.Band);
        Assert.All(curve.Points, p => Assert.Null(p.Low));
    }

    [Fact]
    public void Every_point_of_a_run_or_a_candidate_tells_its_shape_and_each_shape_is_explained_once()
    {
        var study = StudyOf();
        var figures = StudyFigures.Of(study);
        var report = Report.Of(study, Lint.None, "A study", [], figures);

        foreach (string file in new[] { ExportTables.LossAgainstX, ExportTables.LossAgainstRatio, ExportTables.LossAgainstSize, ExportTables.PredictedAgainstMeasured, ExportTables.Residuals, ExportTables.Front, ExportTables.MeasuredSpeed })
        {
            var marked = figures.Single(f => f.File == file).Figure.Series.Where(s => s is { Mark: not Mark.None } && s.Points.Count > 0).SelectMany(s => s.Points).ToList();
            Assert.NotEmpty(marked);
            Assert.All(marked, p => Assert.NotNull(p.Label));
        }

        string baseline = SyntheticStudy.Baseline.Id;
        Assert.Equal("2 layers, hidden 48, MLP 176, 12/6 heads of 8, x 0.171, ratio 1.83", report.Glossary[baseline]);
        Assert.Equal(
            study.RunList.Select(r => r.Shape).Concat(study.Candidates!.Each().Select(r => r.Text("shape"))).Distinct().Order(StringComparer.Ordinal), report.Glossary.Keys);
    }

    [Fact]
    public void Runs_that_a_fit_had_not_seen_bear_another_mark_and_intervals()
    {
        var study = StudyOf();
        foreach (string file in new[] { ExportTables.PredictedAgainstMeasured, ExportTables.Residuals })
        {
            var series = FigureOf(study, file).Series;
            var held = series.Where(s => s.Mark == Mark.Diamond && s.Points.Count > 0).SelectMany(s => s.Points).ToList();

            Assert.Equal(8, held.Count);
            Assert.All(held, p => Assert.EndsWith("held out", p.Series));
            Assert.Equal(["fitted", "held out"], series.TakeLast(2).Select(s => s.Label));
            Assert.Equal(24, series.Where(s => s.Mark == Mark.Circle).Sum(s => s.Points.Count));
        }

        Assert.Contains(FigureOf(study, ExportTables.PredictedAgainstMeasured).Series, s => s.Points.Any(p => p.Low < p.Y && p.Y < p.High));
    }

    [Fact]
    public void A_picks_regret_stands_beside_that_of_plainer_methods()
    {
        var figure = FigureOf(StudyOf(), ExportTables.Regret);

        Assert.Equal(["36.6k, 366k tokens", "36.6k, 732k tokens"], figure.Y.Categories);
        double[] Of(string name) => [.. figure.Series.Single(s => s.Label == name).Points.OrderBy(p => p.Y).Select(p => p.X)];
        Assert.Equal([0, 0.0021], Of("the law's pick"));
        Assert.Equal([0.0012, 0], Of("best smaller shape, copied"));
        Assert.Equal([0, 0.0034], Of("a quadratic's pick"));
    }

    [Fact]
    public void Candidates_that_do_not_meet_the_demands_look_otherwise()
    {
        var study = StudyOf();
        var series = FigureOf(study, ExportTables.Front).Series;
        var (meets, not) = (series.Single(s => s.Label == "meets every demand"), series.Single(s => s.Label == "does not meet every demand"));

        Assert.NotEqual(meets.Mark, not.Mark);
        Assert.Equal(study.Candidates!.Each().Where(r => r.Text("feasible") == "true").Select(r => r.Text("shape")).Order(StringComparer.Ordinal), meets.Points.Select(p => p.Label!).Order(StringComparer.Ordinal));
        Assert.Equal(7, meets.Points.Count + not.Points.Count);
    }

    [Fact]
    public void The_speeds_drawn_are_the_searchs_own_and_curves_cross_where_it_says_that_shapes_trade_places()
    {
        var roofline = Roofline.Of(Device.Named("h200")!);
        var workload = new Workload(4096, 1024, 64);
        ScoredShape Scored(DecoderShape shape) => ScoredShape.Of(shape, 2.8, Speed.Predict(roofline, shape, workload), 2.803);
        var (llama, surefire) = (new DecoderShape(16, 2048, 8192, 32, 8, 64, 128_256, true), new DecoderShape(16, 4096, 3584, 24, 6, 64, 128_256, true));
        bool Faster(int batch) => Speed.Predict(roofline, surefire, workload.Of(batch)).TokensPerSecond > Speed.Predict(roofline, llama, workload.Of(batch)).TokensPerSecond;
        int at = Enumerable.Range(1, 64).First(Faster);
        Assert.InRange(at, 2, 63);
        var best = SyntheticStudy.Best() with
        {
            Workload = workload, Device = DeviceModel.Of(Device.Named("h200")!), Accurate = Scored(surefire), Efficient = Scored(surefire), Baseline = Scored(llama),
            TradePlaces = [new TradePlace("efficient", "baseline", "baseline", at, "baseline", null)],
        };
        var figure = FigureOf(new Study { Best = best, Sources = [] }, ExportTables.SpeedAgainstBatch);

        var curve = figure.Series.Single(s => s.Label == "accurate").Points;
        Assert.Equal(best.Efficient.TokensPerSecond / best.Baseline!.TokensPerSecond, curve.Single(p => p.X == 64).Y, 1e-9);
        var trade = Assert.Single(figure.Series.Single(s => s.Label == "trade places").Points);
        Assert.Equal((at, "efficient and baseline at " + at), (trade.X, trade.Label));
        Assert.All(curve, p => Assert.Equal(p.X >= at, p.Y > 1));
        Assert.InRange(trade.Y, 1, 1.02);
    }

    [Fact]
    public void Of_many_runs_the_best_middle_and_worst_curves_are_drawn_and_no_other_is_read()
    {
        var study = StudyOf();
        StudyRun[] runs = [.. Enumerable.Range(0, 90).Select(i => new StudyRun(1000 * (1 + i / 30), 20_000 * (1 + i / 30), 20, 0.2, 1, 2 + 0.001 * i) { Size = i / 30, Shape = $"{i:x8}", Name = $"run{i}" })];
        string[] read = ["run0", "run15", "run29", "run30", "run45", "run59", "run60", "run75", "run89"];
        study = study with
        {
            RunList = runs,
            Curves = runs.ToDictionary(r => r.Name!, r => read.Contains(r.Name)
                ? _folder.Write($"{r.Name}/curve.jsonl", """
                    {"step":10,"tokens":1000,"loss":4.5,"learning_rate":0.01,"point":30}
                    {"step":20,"tokens":2000,"loss":3.9,"learning_rate":0.001,"point":20}
                    {"step":20,"tokens":2000,"loss":4.0,"learning_rate":0.01,"point":30}
                    {"step":30,"tokens":3000,"loss":3.5,"learning_rate":0.01,"point":30}

                    """)
                : _folder[$"{r.Name}/not there"]),
        };

        var found = StudyFigures.Of(study).Single(f => f.File == ExportTables.LearningCurves);

        Assert.Equal(read, found.Figure.Series.SelectMany(s => s.Points).Select(p => p.Series!.Split(", ")[^1]).Distinct());
        Assert.Contains("9 of 90 runs", found.Caption);
        Assert.All(found.Figure.Series.Where(s => s.Points.Count > 0), s => Assert.Equal([(1000.0, 4.5), (2000, 4.0), (3000, 3.5)], s.Points.Select(p => (p.X, p.Y))));
    }

    [Fact]
    public void More_sizes_than_colours_share_them_with_their_neighbours()
    {
        StudyRun[] runs = [.. Enumerable.Range(0, 20).Select(i => new StudyRun(1000 * Math.Pow(1.5, i), 1e6, 20, null, null, 3) { Size = i })];
        var legend = SizeColours.Of(new Study { RunList = runs, Sources = [] }).Legend(runs.Select(r => r.Parameters)).ToList();

        Assert.Equal(7, legend.Count);
        Assert.Equal(7, legend.Select(l => l.Color).Distinct().Count());
        Assert.Equal("1k to 2.25k parameters", legend[0].Label);
    }

    private Study StudyOf() => SyntheticStudy.Read(SyntheticStudy.Write(_folder), _folder);

    private static Figure FigureOf(Study study, string file) => StudyFigures.Of(study).Single(f => f.File == file).Figure;
}
