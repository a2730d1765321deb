// An MSBuild file with a property for each column of the shape and each setting of its configuration.
using System.Globalization;
using System.Text;
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

/// <summary>
/// A property is <c>Scaling</c> and the column's or setting's name in Pascal case: <c>ScalingKvHeads</c> for <c>kv_heads</c>. Absent settings have none. Values are as in tables:
/// invariant, numbers that round-trip, <c>true</c> and <c>false</c>.
/// </summary>
internal static class ArchitectureProps
{
    public static string Of(DecoderShape shape, ExportSettings settings)
    {
        var text = new StringBuilder("<Project>\n  <PropertyGroup>\n");
        void Property(string name, object? value)
        {
            if (value is not null)
            {
                string property = "Scaling" + string.Concat(name.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
                text.Append(CultureInfo.InvariantCulture, $"    <{property}>{Table.Cell(value)}</{property}>\n");
            }
        }

        foreach (var (term, cell) in Vocabulary.ShapeTerms.Zip(shape.Cells()))
        {
            Property(term.Name, cell);
        }

        Property("max_position_embeddings", settings.MaxPositionEmbeddings);
        Property("rope_theta", settings.RopeTheta);
        Property("rms_norm_eps", settings.RmsNormEps);
        Property("initializer_range", settings.InitializerRange);
        Property("bos_token_id", settings.BosTokenId);
        Property("eos_token_id", settings.EosTokenId);
        Property("data_type", settings.DataType);
        return text.Append("  </PropertyGroup>\n</Project>\n").ToString();
    }
}
