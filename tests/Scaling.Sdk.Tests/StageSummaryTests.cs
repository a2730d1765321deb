// What a stage found is written as the same bytes, read back whole, and refused where a terminal could not show it.
using Scaling.TestKit;

namespace Scaling.Sdk.Tests;

public sealed class StageSummaryTests : IDisposable
{
    private static readonly StageSummary Sound = new(
        "quickstart", ["hidden 48, 7 layers: 0.012 nats below the baseline", "speed – 1.8 × at batch 8"],
        [new("accurate.predicted_loss", "predicted loss, accurate", 0.1 + 0.2, "nats a token", "0.3"), new("efficient.speed", "speed, efficient", null, "", "not identified")]);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void It_is_read_as_it_was_written_and_written_as_the_same_bytes()
    {
        Sound.Write(_folder["one.json"]);
        var read = StageSummary.Read(_folder["one.json"]);
        read.Write(_folder["two.json"]);

        Assert.Equal(Sound, read);
        Assert.Equal(File.ReadAllBytes(_folder["one.json"]), File.ReadAllBytes(_folder["two.json"]));
    }

    [Fact]
    public async Task Its_file_is_read_by_people_too()
    {
        Sound.Write(_folder["summary.json"]);
        string text = File.ReadAllText(_folder["summary.json"]);

        Assert.DoesNotContain('\r', text);
        await Snapshot.Match(text);
    }

    [Fact]
    public void A_character_beyond_the_first_plane_is_one_character() => (Sound with { Lines = [string.Concat(Enumerable.Repeat("😀", StageSummary.LongestLine))] }).Write(_folder["summary.json"]);

    [Theory]
    [InlineData("title", "its title is empty")]
    [InlineData("many lines", "it has 6 lines")]
    [InlineData("long line", "a line has 77 characters")]
    [InlineData("command", "control characters")]
    [InlineData("half a character", "control characters")]
    [InlineData("empty line", "a line is empty")]
    [InlineData("name", "'Predicted loss' is no name")]
    [InlineData("name twice", "'efficient.speed' is no name of a quantity, or stands twice")]
    [InlineData("not finite", "is not finite")]
    [InlineData("no text", "the label, text or unit of")]
    public void What_cannot_be_shown_is_not_written_and_not_read(string what, string told)
    {
        var wrong = what switch
        {
            "title" => Sound with { Title = " " },
            "many lines" => Sound with { Lines = [.. Enumerable.Repeat("a", 6)] },
            "long line" => Sound with { Lines = [new string('a', 77)] },
            "command" => Sound with { Lines = ["\u001b[2J"] },
            "half a character" => Sound with { Lines = ["\ud83d"] },
            "empty line" => Sound with { Lines = [""] },
            "name" => Sound with { Quantities = [Sound.Quantities[0] with { Name = "Predicted loss" }] },
            "name twice" => Sound with { Quantities = [.. Sound.Quantities, Sound.Quantities[1]] },
            "not finite" => Sound with { Quantities = [Sound.Quantities[0] with { Value = double.NaN }] },
            _ => Sound with { Quantities = [Sound.Quantities[0] with { Text = "" }] },
        };

        var refused = Assert.Throws<ArgumentException>(() => wrong.Write(_folder["summary.json"]));
        Assert.Contains(told, refused.Message);
        Assert.False(File.Exists(_folder["summary.json"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{ "format": "scaling.summary/2", "title": "a", "lines": [], "quantities": [] }""")]
    [InlineData("""{ "format": "scaling.summary/1", "title": "a", "lines": [], "quantities": {} }""")]
    [InlineData("""{ "format": "scaling.summary/1", "title": "a", "lines": [1], "quantities": [] }""")]
    [InlineData("""{ "format": "scaling.summary/1", "title": "a", "lines": ["\u001b[2J"], "quantities": [] }""")]
    [InlineData("""{ "format": "scaling.summary/1", "title": "a", "lines": [], "quantities": [{ "name": "a", "label": "b", "value": "1", "unit": "", "text": "1" }] }""")]
    public void A_file_that_is_none_is_told_as_that(string content) =>
        Assert.Throws<FormatException>(() => StageSummary.Read(_folder.Write("summary.json", content)));
}
