from django import forms

from .models import Article


class ArticleForm(forms.ModelForm):
    class Meta:
        model = Article
        fields = ["title", "text"]


class ContactForm(forms.Form):
    name = forms.CharField(max_length=100)
    text = forms.CharField(widget=forms.Textarea)
