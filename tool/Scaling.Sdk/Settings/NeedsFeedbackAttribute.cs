// A setting of rounds, which says nothing where nothing comes back.
namespace Scaling.Sdk;

/// <summary>
/// Marks a setting that says something only where the stage takes feedback (<see cref="InputRole.Feedback"/>): where a pipeline gives it without <c>feedback:</c>, the tool warns at its place (SCAL3038).
/// It enters no key.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class NeedsFeedbackAttribute : Attribute;
