// How wide text is, without a font on the machine: the metrics of DejaVu Sans, the widest of the fonts that figures name.
using OxyPlot;

namespace Scaling.Reports;

/// <summary>
/// Measures text for OxyPlot's layout. OxyPlot's own measure without a window (that of its PDF writer) is a fifth too small,
/// so that legends overlap and titles are cut; what is measured with the widest font has room with every other.
/// </summary>
internal static class TextMetrics
{
    /// <summary>Widths of the characters from space to tilde, thousandths of the font size.</summary>
    private static readonly short[] Widths =
    [
        318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531,
        1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500,
        500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
    ];

    /// <summary>Width of any other character.</summary>
    private const short OtherWidth = 838;

    /// <summary>Bold letters are wider by 10 % on average.</summary>
    private const double BoldWidth = 1.11;

    /// <summary>Height of capitals, times the font size: OxyPlot sets the base line at the bottom of what is measured, so that a centred line is centred to the eye.</summary>
    private const double LineHeight = 0.76;

    /// <summary>The room that a text takes, lines one below the other.</summary>
    /// <param name="text">Any; empty takes none.</param>
    /// <param name="fontSize">Pixels.</param>
    /// <param name="fontWeight">400 for normal.</param>
    public static OxySize Measure(string? text, double fontSize, double fontWeight)
    {
        if (string.IsNullOrEmpty(text))
        {
            return OxySize.Empty;
        }

        string[] lines = text.Split('\n');
        double widest = lines.Max(line => line.Sum(c => c is >= ' ' and <= '~' ? Widths[c - ' '] : OtherWidth)) / 1000.0;
        return new OxySize(widest * fontSize * (fontWeight > FontWeights.Normal ? BoldWidth : 1), lines.Length * LineHeight * fontSize);
    }
}
