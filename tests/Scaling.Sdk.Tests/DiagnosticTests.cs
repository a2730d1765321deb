// What the user reads of a finding, and the word that was probably meant.
using CsCheck;

namespace Scaling.Sdk.Tests;

public class DiagnosticTests
{
    private static readonly string[] Words = ["sweep", "train", "measure", "fit", "extrapolate", "search", "export"];

    [Theory]
    [InlineData("fti", "fit")]
    [InlineData("Fit", "fit")]
    [InlineData("mesure", "measure")]
    [InlineData("extrapolat", "extrapolate")]
    [InlineData("serach", "search")]
    [InlineData("trian", "train")]
    [InlineData("it", "fit")]
    [InlineData("report", "export")]
    [InlineData("banana", null)]
    [InlineData("", null)]
    public void The_nearest_word_is_suggested_where_it_is_near(string found, string? expected) => Assert.Equal(expected, NearestSpelling.Of(found, Words));

    [Fact]
    public void A_hint_is_a_question_or_nothing()
    {
        Assert.Equal("Did you mean 'fit'?", NearestSpelling.Hint("fits", Words));
        Assert.Null(NearestSpelling.Hint("banana", Words));
    }

    [Fact]
    public void Of_equally_near_words_the_first_is_suggested() => Assert.Equal("x1", NearestSpelling.Of("x", ["x1", "x2"]));

    [Fact]
    public void One_slip_of_the_hand_in_a_word_of_four_letters_or_more_is_always_forgiven() =>
        Gen.Select(Gen.Char['a', 'z'].Array[4, 12], Gen.Int[0, 11], Gen.Int[0, 3], Gen.Char['a', 'z']).Sample((letters, place, slip, letter) =>
        {
            string word = new(letters);
            int at = Math.Min(place, word.Length - 2);
            string slipped = slip switch
            {
                0 => word.Insert(at, letter.ToString()),
                1 => word.Remove(at, 1),
                2 => word[..at] + letter + word[(at + 1)..],
                _ => word[..at] + word[at + 1] + word[at] + word[(at + 2)..],
            };
            return NearestSpelling.Of(slipped, [word]) == word;
        });

    [Fact]
    public void A_finding_is_told_as_builds_and_editors_read_it()
    {
        var finding = new Diagnostic("SCAL2003", "Found a.") { Location = new SourceLocation("a.yaml", 3, 5), Hint = "Write b." };

        Assert.Equal("a.yaml(3,5): error SCAL2003: Found a. Write b.", finding.ToString());
        Assert.Equal("a.yaml(3): error SCAL2003: Found a.", (finding with { Location = new SourceLocation("a.yaml", 3), Hint = null }).ToString());
        Assert.Equal("a.yaml: warning SCAL2003: Found a.", (finding with { Location = new SourceLocation("a.yaml"), Hint = null, Severity = Severity.Warning }).ToString());
        Assert.Equal("error SCAL2003: Found a.", (finding with { Location = null, Hint = null }).ToString());
    }

    [Fact]
    public void A_failed_stage_tells_all_its_findings()
    {
        var failed = new StageFailedException([new Diagnostic("SCAL7001", "One."), new Diagnostic("SCAL7002", "Two.")]);

        Assert.Equal(["error SCAL7001: One.", "error SCAL7002: Two."], failed.Message.Split(Environment.NewLine));
        Assert.Equal("error SCAL7003: Three. Do so.", new StageFailedException("SCAL7003", "Three.", "Do so.").Message);
    }
}
