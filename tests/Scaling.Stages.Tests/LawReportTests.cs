// export: a study that searched for nothing, and what is summed up for terminals and comparisons.
using System.Text.Json.Nodes;
using Scaling.Laws;
using Scaling.Sdk;
using Scaling.Stages.Export;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class LawReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_law_without_a_search_is_told_with_what_it_rests_on()
    {
        var inputs = SyntheticStudy.Write(_folder);
        var result = Export(new() { ["law"] = inputs["law"], ["residuals"] = inputs["residuals"], ["predictions"] = inputs["predictions"], ["scores"] = inputs["scores"] });

        await Snapshot.Match(result.Text("report.md").Split("## Where it comes from")[0] + "\n" + result.Text("summary.json"));
        Assert.False(Directory.Exists(Path.Combine(result.Folder, "accurate")));
        Assert.False(File.Exists(Path.Combine(result.Folder, "lint.csv")));
    }

    [Fact]
    public void A_table_of_losses_alone_gives_exponents_and_the_tokens_that_a_parameter_is_worth()
    {
        double[] sizes = [1e6, 3e6, 1e7, 3e7], tokens = [1e8, 3e8, 1e9, 3e9];
        TrainingRun[] runs = [.. sizes.SelectMany(n => tokens, (n, d) => (n, d)).Select((p, i) => new TrainingRun(i + 1, p.n, p.d, 1.69 + 406.4 / Math.Pow(p.n, 0.34) + 410.7 / Math.Pow(p.d, 0.28) + 0.0005 * ((7 * i % 5) - 2)))];
        LawFit.Fit(runs, new LawContext(), new LawOptions { Law = LawKind.Chinchilla, Resamples = 100 }).Document.Write(_folder["law.json"]);
        var result = Export(new() { ["law"] = _folder["law.json"] });
        string report = result.Text("report.md");

        Assert.Contains("**How loss falls**, with parameters N and tokens D: by the exponents α = 0.34", report);
        var optimum = StageSummary.Read(Path.Combine(result.Folder, "summary.json")).Quantities.Single(q => q.Name == "law.tokens_per_parameter");

        // By hand from the printed constants at 6·3e7·3e9 FLOPs.
        double c = 3e7 * 3e9, g = Math.Pow(0.34 * 406.4 / (0.28 * 410.7), 1 / 0.62), n = g * Math.Pow(c, 0.28 / 0.62);
        Assert.Equal(c / (n * n), optimum.Value!.Value, 0.1 * c / (n * n));
        Assert.Contains("5.4e17 FLOPs", report);
        Assert.DoesNotContain("## Search", report);
    }

    [Fact]
    public void Exponents_that_are_not_known_are_not_printed_as_an_answer()
    {
        var inputs = SyntheticStudy.Write(_folder);
        var law = LawDocument.Read(inputs["law"]);
        (law with { Verdicts = [.. law.Verdicts.Select(v => v.Quantity == "exponents" ? v with { Identification = Identification.NotIdentified, Reason = "One ray." } : v)] }).Write(inputs["law"]);
        var result = Export(new() { ["law"] = inputs["law"] });

        Assert.Contains("- **How loss falls**, with parameters N and tokens D: **not known** from these runs. One ray.", result.Text("report.md"));
        var alpha = StageSummary.Read(Path.Combine(result.Folder, "summary.json")).Quantities.Single(q => q.Name == "law.alpha");
        Assert.Equal((null, "not identified"), (alpha.Value, alpha.Text));
    }

    [Fact]
    public void Nothing_to_report_on_is_told_before_anything_is_written()
    {
        var inputs = SyntheticStudy.Write(_folder);
        var finding = Assert.Single(Assert.Throws<StageFailedException>(() => Export(new() { ["runs"] = inputs["runs"] })).Diagnostics);
        Assert.Equal("SCAL7510", finding.Code);
    }

    [Fact]
    public async Task A_searchs_summary_says_what_was_found_and_how_sure_it_is() =>
        await Snapshot.Match(Export(SyntheticStudy.Write(_folder)).Text("summary.json"));

    [Fact]
    public void A_title_of_any_kind_and_long_names_still_make_a_summary()
    {
        var result = new StageRunner(new ExportStage(), _folder).Run(new JsonObject { ["title"] = "A title\nof two lines" }, SyntheticStudy.Write(_folder));
        Assert.Equal("A title of two lines", StageSummary.Read(Path.Combine(result.Folder, "summary.json")).Title);
    }

    private StageResult Export(Dictionary<string, string> inputs) => new StageRunner(new ExportStage(), _folder).Run([], inputs);
}
