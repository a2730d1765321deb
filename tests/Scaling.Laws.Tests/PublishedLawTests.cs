// The law files of printed coefficients, as pipelines ship them.
using Scaling.TestKit;

namespace Scaling.Laws.Tests;

public class PublishedLawTests
{
    private const string Paper = "arXiv 2510.18245";

    [Theory]
    [InlineData("paper-80m-297m.json")]
    [InlineData("paper-1b.json")]
    public void A_shipped_law_file_holds_the_printed_coefficients(string file)
    {
        bool one = file == "paper-1b.json";
        var law = one
            ? PublishedShapeTerms.ToDocument(PublishedShapeTerms.From1B, [973_078_528], $"{Paper}, fitted on its runs of 1B parameters")
            : PublishedShapeTerms.ToDocument(PublishedShapeTerms.From80MTo297M, [80e6, 145e6, 297e6], $"{Paper}, fitted on its runs of 80M, 145M and 297M parameters");
        string path = Path.Combine(Repository.Root, "pipelines", "laws", file);

        Assert.Equal(law.ToJson(), File.ReadAllText(path));
        var read = LawDocument.Read(path);
        Assert.False(read.HasLevel);
        Assert.Equal(read.ShapeFactor(0.066, 4.8), read.Predict(1e9, 1e11, 0.066, 4.8), 1e-15);
        Assert.Null(read.PredictionInterval(new LawPoint(1e9, 1e11)));
    }
}
