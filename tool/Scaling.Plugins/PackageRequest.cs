// What a pipeline asks for: a package and which of its versions.
using System.Text.RegularExpressions;
using Scaling.Sdk;

namespace Scaling.Plugins;

/// <summary>A package that is asked for.</summary>
/// <param name="Id">Package id; case does not matter.</param>
/// <param name="Version">
/// <c>1.2.0</c> or <c>[1.2.0]</c> is exactly that version. <c>1.*</c>, <c>*</c> and <c>1.2.*-*</c> are the highest one of that form that the sources have, <c>[1.0,2.0)</c> the lowest one in the range.
/// </param>
/// <param name="Location">Where it is asked for; findings carry it. Null where there is no place.</param>
public sealed partial record PackageRequest(string Id, string Version, SourceLocation? Location = null)
{
    /// <summary>It names one version. Anything else is floating: what it gives depends on the day.</summary>
    public bool IsExact => Exact().IsMatch(Version);

    /// <summary>Refuses a floating version.</summary>
    /// <exception cref="StageFailedException">SCAL6108.</exception>
    public void DemandExact()
    {
        if (!IsExact)
        {
            throw PackageProblems.Floating(this);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Id} {Version}";

    [GeneratedRegex(@"^\s*(\d+(\.\d+){0,3}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?|\[\s*\d+(\.\d+){0,3}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?\s*\])\s*$")]
    private static partial Regex Exact();
}
